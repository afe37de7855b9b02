import yargs, { type Argv } from 'yargs';
import { writeStderr } from '../observe/stderr.ts';
import { checkFlags } from './check-command-flags.ts';
import { demo } from './demo.ts';
import { probeFlags } from './probe-command-flags.ts';
import { serve } from './serve.ts';
import { serveFlags } from './serve-flags.ts';
import { UsageError } from './usage-error.ts';
import { ownVersion } from './version-text.ts';

const COMMANDS = ['serve', 'demo', 'check', 'probe'];
/** Scripts tell by the exit code whether something is not well (1) or they asked wrongly. */
const USAGE_EXIT: Readonly<Record<string, number>> = { check: 2, probe: 2 };

/** `evenkeel serve`, `demo`, `check`, `probe`, `--help`. Resolves the exit code. */
export async function evenkeelCommand(argv: readonly string[]): Promise<number> {
  let exitCode = 0;
  const parser: Argv = yargs([...argv])
    .scriptName('evenkeel')
    .usage("A load balancer that reads your nginx.conf and answers to nginx's command line and signals.")
    .example('$0 serve --backend 10.0.0.1:8000 --backend 10.0.0.2:8000', 'balance over two backends on port 8080')
    .example('$0 -c /etc/nginx/nginx.conf', 'as nginx; also -t -T -s -p -e -g -v -V -h')
    .example('$0 check --conf /etc/nginx/nginx.conf', 'is all of it well? also PostgreSQL, Redis, Sentinels')
    .example('$0 demo', 'three backends and a balancer to play with')
    .command(
      'serve',
      'Balance over backends, configured by flags',
      (command) => serveFlags(command),
      async (flags) => {
        exitCode = await serve(flags);
      },
    )
    .command(
      'demo',
      'Start three backends and a balancer in front of them, and say what to try',
      (command) =>
        command
          .option('port', { ...port('port'), default: 8080, describe: 'Port of the balancer' })
          .option('status-port', { ...port('status-port'), default: 8081, describe: 'Port of the status server' }),
      async (flags) => {
        exitCode = await demo({ port: flags.port, statusPort: flags['status-port'] });
      },
    )
    .command(
      'check',
      'Look once at a whole stack: balancer, backends, PostgreSQL, Redis, Sentinels',
      (command) => checkFlags(command),
      async (flags) => {
        const { check } = await import('./check.ts');
        exitCode = await check(flags);
      },
    )
    .command(
      'probe',
      'Keep looking at it, and export what is seen as Prometheus metrics',
      (command) => probeFlags(command),
      async (flags) => {
        const { probe } = await import('./probe.ts');
        exitCode = await probe(flags);
      },
    )
    .demandCommand(1, "Say what to do: serve, demo, check, probe, or nginx's own flags.")
    .strict()
    .version(`evenkeel ${ownVersion()}`)
    .help()
    .alias('help', 'h')
    .wrap(100)
    .exitProcess(false)
    .showHelpOnFail(false)
    .fail((message, error) => {
      throw error ?? new UsageError(message);
    });
  if (argv.length === 0) {
    parser.showHelp((text) => writeStderr(`${text}\n`));
    return 1;
  }
  const [command = ''] = argv;
  try {
    if (!command.startsWith('-') && !COMMANDS.includes(command)) {
      throw new UsageError(`unknown command "${command}"; allowed are ${COMMANDS.join(', ')}`);
    }
    await parser.parseAsync();
    return exitCode;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const help = COMMANDS.includes(command) ? `${command} --help` : '--help';
    writeStderr(`evenkeel: ${error.message.replaceAll('\n', '\nevenkeel: ')}\nTry: evenkeel ${help}\n`);
    return USAGE_EXIT[command] ?? 1;
  }
}

function port(flag: string): {
  readonly type: 'number';
  readonly requiresArg: true;
  readonly coerce: (value: unknown) => number;
} {
  return {
    type: 'number',
    requiresArg: true,
    coerce: (value) => {
      if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535) return value;
      throw new UsageError(`--${flag} must be a port: a number from 1 to 65535`);
    },
  };
}
