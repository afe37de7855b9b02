import { writeStderr } from '../observe/stderr.ts';
import { DEFAULT_CONF, DEFAULT_ERROR_LOG, DEFAULT_PREFIX } from './build-info.ts';
import { ArgsError, type NginxArgs, parseNginxArgs } from './nginx-args.ts';
import { configureText, helpText, versionText } from './version-text.ts';

/** nginx's own command line. Resolves the exit code. */
export async function nginxCommand(argv: readonly string[]): Promise<number> {
  let args: NginxArgs;
  try {
    args = parseNginxArgs(argv);
  } catch (error) {
    if (!(error instanceof ArgsError)) throw error;
    writeStderr(`nginx: ${error.message}\n`);
    return 1;
  }
  if (args.showsVersion) {
    writeStderr(versionText() + (args.showsHelp ? helpText() : '') + (args.showsConfigure ? configureText() : ''));
    if (!args.tests) return 0;
  }
  const { fullName } = await import('../config/full-name.ts');
  const { fileSource } = await import('../process/config-source.ts');
  const prefix = absoluteDirectory(args.prefix ?? DEFAULT_PREFIX);
  const source = fileSource({
    file: fullName(prefix, args.confFile ?? DEFAULT_CONF),
    prefix,
    globalDirectives: args.globals,
  });
  const defaultErrorLog = args.errorLog ?? DEFAULT_ERROR_LOG;

  // Also with -s: as nginx.
  if (args.tests) {
    const { testConfiguration } = await import('../process/test-configuration.ts');
    return testConfiguration({ source, defaultErrorLog, dumps: args.dumps, isQuiet: args.isQuiet });
  }
  if (args.signal !== null) {
    const { sendSignal } = await import('../process/send-signal.ts');
    return sendSignal({ source, defaultErrorLog, word: args.signal });
  }
  const { run } = await import('../process/run.ts');
  return run({ source, defaultErrorLog, title: 'nginx' });
}

/** With its closing `/`; a relative one hangs under the current directory. */
function absoluteDirectory(path: string): string {
  const absolute = path.startsWith('/') ? path : `${Buffer.from(process.cwd(), 'utf8').toString('latin1')}/${path}`;
  return absolute.endsWith('/') ? absolute : `${absolute}/`;
}
