import { ADDRCONFIG, promises } from 'node:dns';
import type { Diagnostic } from '../config/diagnostic.ts';
import type { NameInConfig } from './names-in-config.ts';
import type { ResolvedAddress, ResolvedNames } from './resolved-names.ts';

/** All addresses of a name, as getaddrinfo gives them; rejects when there are none. */
export type Lookup = (host: string) => Promise<readonly ResolvedAddress[]>;

export interface ResolveResult {
  readonly names: ResolvedNames;
  /** A warning for each name that did not resolve. */
  readonly findings: readonly Diagnostic[];
}

/** A start must not hang on a name server: after so long the name counts as not found and is retried later. */
const LOOKUP_TIMEOUT_MS = 2000;

/** The system's resolver: hosts file, DNS, whatever nsswitch says. */
export const systemLookup: Lookup = async (host) => {
  const found = await promises.lookup(host, { all: true, order: 'verbatim', hints: ADDRCONFIG });
  return found.map(({ address, family }) => ({ host: address, family: family === 6 ? 6 : 4 }));
};

/** Resolves all names of a configuration at once. Never rejects: what is not found is a finding, and a name without addresses. */
export async function resolveNames(
  wanted: readonly NameInConfig[],
  lookup: Lookup = systemLookup,
  timeoutMs: number = LOOKUP_TIMEOUT_MS,
): Promise<ResolveResult> {
  const names: Record<string, readonly ResolvedAddress[]> = {};
  const findings: Diagnostic[] = [];
  await Promise.all(
    wanted.map(async ({ host, text, pos }) => {
      const found = await lookUpInTime(host, lookup, timeoutMs);
      names[host] = found;
      if (found.length === 0) findings.push({ severity: 'warn', text: notFoundText(text), pos });
    }),
  );
  return { names, findings };
}

/** Addresses of a name; none when it is not found or not in time. */
export async function lookUpInTime(
  host: string,
  lookup: Lookup,
  timeoutMs: number = LOOKUP_TIMEOUT_MS,
): Promise<readonly ResolvedAddress[]> {
  const { promise: late, resolve } = Promise.withResolvers<readonly ResolvedAddress[]>();
  const timer = setTimeout(resolve, timeoutMs, []);
  try {
    return await Promise.race([lookup(host), late]);
  } catch {
    return []; // getaddrinfo's reasons (not found, try again, no server) all mean: not now
  } finally {
    clearTimeout(timer);
  }
}

function notFoundText(text: string): string {
  return `host not found in upstream "${text}", the server counts as down and the name is retried`;
}
