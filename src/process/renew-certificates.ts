import { readFileSync } from 'node:fs';
import { formatDiagnostic } from '../config/diagnostic.ts';
import { directoryOf } from '../config/full-name.ts';
import { readScopes } from '../config/walk.ts';
import { strerror } from '../core/strerror.ts';
import { type TlsFileContents, TlsFiles } from '../net/tls-files.ts';
import type { TicketKeyRing } from '../net/tls-sessions/ticket-key-ring.ts';
import type { LogFiles } from '../observe/log-files.ts';
import { MODULES } from '../runtime/module-list.ts';
import { checkConfiguration } from './check-configuration.ts';
import type { Configuration } from './configuration.ts';
import type { MainLog } from './main-log.ts';
import type { WorkerPool } from './worker-pool.ts';

export interface RenewParts {
  readonly log: MainLog;
  readonly logFiles: LogFiles;
  readonly pool: WorkerPool;
  /** In force. */
  readonly configuration: Configuration;
  /** Files that have changed. */
  readonly changed: readonly string[];
  readonly ticketKeys: TicketKeyRing;
  /** Number of the configuration, should there be a new one. */
  readonly generation: number;
}

/**
 * `ssl_certificate_watch`: takes into force what has changed in the files of certificates, in all workers together; the rest of the
 * configuration stays. Servers with files of their own are judged by themselves: what is bad is logged, and their old ones serve on.
 * Resolves the configuration that is in force now; null: it is the one from before.
 */
export async function renewCertificates(parts: RenewParts): Promise<Configuration | null> {
  const { log, logFiles, pool, generation } = parts;
  let { configuration } = parts;
  const renewed: string[] = [];
  logFiles.begin();
  // 1. each group of files by itself
  for (const files of groupsOf(configuration.watchedTlsFiles)) {
    if (!files.some((file) => parts.changed.includes(file))) continue;
    try {
      const contents = reread(files, configuration.forWorkers.tlsFiles);
      if (contents === null) continue;
      configuration = withContents(configuration, contents, parts);
      renewed.push(...files.filter((file) => parts.changed.includes(file)));
    } catch (error) {
      log.write('error', `certificates not renewed, the old ones serve on: ${(error as Error).message}`);
    }
  }
  if (renewed.length === 0) {
    logFiles.abandon();
    return null;
  }
  // 2. all workers
  const prepared = await pool.prepareAll(configuration, generation);
  if (prepared.outcome === 'refused') {
    for (const text of prepared.findings)
      log.write('error', `certificates not renewed, the old ones serve on: ${text}`);
    pool.abandonAll(generation);
    logFiles.abandon();
    return null;
  }
  logFiles.commit();
  const swapped = await pool.swapAll(generation);
  if (swapped.outcome === 'refused') for (const text of swapped.findings) log.write('emerg', text);
  log.write('notice', `certificates renewed: ${renewed.map((file) => `"${file}"`).join(', ')}`);
  return configuration;
}

/** Servers that share a file are renewed together. */
export function groupsOf(servers: readonly (readonly string[])[]): string[][] {
  let groups: Set<string>[] = [];
  for (const files of servers) {
    const joined = new Set(files);
    const others = groups.filter((group) => ![...group].some((file) => joined.has(file)));
    for (const group of groups) if (!others.includes(group)) for (const file of group) joined.add(file);
    groups = [...others, joined];
  }
  return groups.map((group) => [...group]);
}

/** Null: nothing is new in them. Throws when one can't be read. */
function reread(files: readonly string[], known: TlsFileContents): TlsFileContents | null {
  const read = Object.fromEntries(files.map((file) => [file, contentOf(file)]));
  const isSame = files.every((file) => read[file] === known[file]);
  return isSame ? null : { ...known, ...read };
}

function contentOf(file: string): string {
  try {
    return readFileSync(Buffer.from(file, 'latin1')).toString('base64');
  } catch (error) {
    throw new Error(`open() "${file}" failed (${strerror((error as NodeJS.ErrnoException).code ?? '')})`);
  }
}

/** Throws the finding that refuses it. */
function withContents(before: Configuration, contents: TlsFileContents, parts: RenewParts): Configuration {
  const { snapshot, names, defaultErrorLog } = before.forWorkers;
  const { main } = readScopes(snapshot.tree, MODULES);
  const directory = directoryOf(snapshot.file) || snapshot.prefix;
  const tls = new TlsFiles(parts.ticketKeys, contents, directory);
  const { configuration, findings } = checkConfiguration(main, snapshot, { ...parts, defaultErrorLog, names, tls });
  if (configuration !== null) {
    // Those of the rest of the configuration were said before.
    const isAboutThem = (text: string): boolean => parts.changed.some((file) => text.includes(file));
    for (const { severity, text } of findings)
      if (severity === 'warn' && isAboutThem(text)) parts.log.write('warn', text);
    return configuration;
  }
  throw new Error(
    findings
      .filter(({ severity }) => severity === 'emerg')
      .map(formatDiagnostic)
      .join('; '),
  );
}
