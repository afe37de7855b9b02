import { promises } from 'node:dns';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NameServers } from './name-servers.ts';
import type { ResolvedAddress } from './resolved-names.ts';

/** What a name server may say in place of addresses: the response code, and nginx's words for it. */
export interface NameFailure {
  readonly code: number;
  readonly words: string;
}

export interface NameAnswer {
  readonly addresses: readonly ResolvedAddress[];
  /** Least of the addresses' times to live. */
  readonly ttlMs: number;
}

/** A question under way; it goes on until somebody answers or it is cancelled. */
export interface NameQuery {
  /** Never rejects. Does not settle when cancelled. */
  readonly result: Promise<NameAnswer | NameFailure>;
  cancel(): void;
}

/** Asks for the addresses of a name. `turn` says which server is asked first. */
export type AskForName = (name: string, conf: NameServers, turn: number) => NameQuery;

export const HOST_NOT_FOUND: NameFailure = { code: 3, words: 'Host not found' };

/** Response codes of RFC 1035 section 4.1.1. A name without addresses, or one that cannot be asked for, is not found, as in nginx. */
const FAILURES: Readonly<Record<string, NameFailure>> = {
  EFORMERR: { code: 1, words: 'Format error' },
  ESERVFAIL: { code: 2, words: 'Server failure' },
  ENOTFOUND: HOST_NOT_FOUND,
  ENODATA: HOST_NOT_FOUND,
  EBADNAME: HOST_NOT_FOUND,
  ENOTIMP: { code: 4, words: 'Unimplemented' },
  EREFUSED: { code: 5, words: 'Operation refused' },
};

/** Time for the first answer; twice as long the next time, at most LONGEST_WAIT_MS. */
const FIRST_WAIT_MS = 2000;
const LONGEST_WAIT_MS = 5000;
const TRIES = 3;
/** Nobody listens there, or what came was no DNS: asked again after so long. */
const AGAIN_MS = 500;

/**
 * Asks over node:dns, which repeats lost datagrams, goes on to the next server when one is silent, and follows a cut answer by TCP.
 * Each query has a resolver of its own, so that giving it up leaves no other one alone.
 */
export const askNameServers: AskForName = (name, conf, turn) => {
  const resolver = new promises.Resolver({ timeout: FIRST_WAIT_MS, maxTimeout: LONGEST_WAIT_MS, tries: TRIES });
  const first = turn % conf.servers.length;
  resolver.setServers([...conf.servers.slice(first), ...conf.servers.slice(0, first)]);
  const over = new AbortController();
  const { signal } = over;

  /** Addresses of one family; asks for ever, unless some server says that there are none. */
  const ask = async (family: 4 | 6): Promise<NameAnswer | NameFailure> => {
    for (;;) {
      try {
        const found = await (family === 4
          ? resolver.resolve4(name, { ttl: true })
          : resolver.resolve6(name, { ttl: true }));
        const addresses = found.map(({ address }) => ({ host: address, family }));
        return { addresses, ttlMs: Math.min(...found.map(({ ttl }) => ttl)) * 1000 };
      } catch (error) {
        const { code = '' } = error as NodeJS.ErrnoException;
        const failure = FAILURES[code];
        if (failure !== undefined) return failure;
        signal.throwIfAborted();
        if (code !== 'ETIMEOUT') await sleep(AGAIN_MS, undefined, { signal, ref: false });
      }
    }
  };
  const families: (4 | 6)[] = [...(conf.wantsIpv4 ? [4 as const] : []), ...(conf.wantsIpv6 ? [6 as const] : [])];
  const result = new Promise<NameAnswer | NameFailure>((resolve) => {
    // Rejected only when it was cancelled, and then nobody waits.
    Promise.all(families.map(ask)).then(
      (parts) => resolve(joined(parts)),
      () => undefined,
    );
  });
  return {
    result,
    cancel() {
      over.abort();
      resolver.cancel();
    },
  };
};

/** Addresses of one family are enough. */
function joined(parts: readonly (NameAnswer | NameFailure)[]): NameAnswer | NameFailure {
  const answers = parts.filter((part) => 'addresses' in part);
  if (answers.length === 0) return (parts as readonly NameFailure[])[0] ?? HOST_NOT_FOUND;
  const addresses = answers.flatMap((answer) => answer.addresses);
  return { addresses, ttlMs: Math.min(...answers.map((answer) => answer.ttlMs)) };
}
