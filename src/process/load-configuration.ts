import { EVENTS } from '../config/contexts.ts';
import { type Diagnostic, hasEmerg } from '../config/diagnostic.ts';
import { directoryOf } from '../config/full-name.ts';
import { TlsFiles } from '../net/tls-files.ts';
import type { TicketKeyRing } from '../net/tls-sessions/ticket-key-ring.ts';
import type { Log } from '../observe/error-log.ts';
import type { LogFiles } from '../observe/log-files.ts';
import { namesInConfig } from '../upstream/names-in-config.ts';
import { resolveNames } from '../upstream/resolve-names.ts';
import { checkConfiguration } from './check-configuration.ts';
import type { ConfigSource } from './config-source.ts';
import type { Configuration } from './configuration.ts';
import { makeTempDirectories } from './temp-directories.ts';

export interface LoadedConfiguration {
  /** Null when a finding refuses it. */
  readonly configuration: Configuration | null;
  readonly findings: readonly Diagnostic[];
  /** Findings of what nginx looks at once the syntax is found to be right: `events` is there, log files and directories can be had. */
  readonly lateFindings: readonly Diagnostic[];
}

export interface LoadOptions {
  readonly source: ConfigSource;
  readonly log: Log;
  /** The files are opened; the caller says `begin` and `commit` or `abandon` around it. */
  readonly logFiles: LogFiles;
  readonly defaultErrorLog: string;
  /** For as long as the primary lives: clients resume their sessions over reloads and workers. */
  readonly ticketKeys: TicketKeyRing;
}

/** Reads a configuration and checks it to the end by compiling it, as the workers will. */
export async function loadConfiguration(options: LoadOptions): Promise<LoadedConfiguration> {
  const { source, log, logFiles, defaultErrorLog } = options;
  const { main, snapshot, diagnostics } = source.read();
  if (hasEmerg(diagnostics)) return { configuration: null, findings: diagnostics, lateFindings: [] };
  const tls = new TlsFiles(options.ticketKeys, null, directoryOf(snapshot.file) || snapshot.prefix);
  const { names, findings: unresolved } = await resolveNames(namesInConfig(snapshot.tree));
  const { configuration, findings: found } = checkConfiguration(main, snapshot, {
    log,
    logFiles,
    defaultErrorLog,
    names,
    tls,
  });
  const isLate = ({ pos, text }: Diagnostic): boolean => pos === null && text.startsWith('open() ');
  const findings = [...diagnostics, ...unresolved, ...found.filter((finding) => !isLate(finding))];
  const lateFindings = found.filter(isLate);
  if (main.childrenOf(EVENTS).length === 0) lateFindings.push(emerg('no "events" section in configuration'));
  lateFindings.push(...makeTempDirectories(main, snapshot.prefix));
  return { configuration: hasEmerg(lateFindings) ? null : configuration, findings, lateFindings };
}

function emerg(text: string): Diagnostic {
  return { severity: 'emerg', text, pos: null };
}
