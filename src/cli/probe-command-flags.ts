import type { Argv } from 'yargs';
import { SECRETS_HELP } from './check-command-flags.ts';
import { declareCheckFlags } from './check-flags.ts';

export const DEFAULT_LISTEN = '127.0.0.1:9101';
export const DEFAULT_INTERVAL = '10s';

/** Declares the flags of `evenkeel probe`, and teaches them. */
export function probeFlags(command: Argv): Argv {
  return declareCheckFlags(command)
    .option('listen', {
      type: 'string',
      requiresArg: true,
      describe: 'Where /metrics and /healthz are: PORT, :PORT or ADDRESS:PORT',
      defaultDescription: DEFAULT_LISTEN,
    })
    .option('interval', {
      type: 'string',
      requiresArg: true,
      describe: 'From the beginning of one round to the next',
      defaultDescription: DEFAULT_INTERVAL,
    })
    .example(
      '$0 probe --listen :9101 --conf /etc/nginx/nginx.conf',
      'every port and upstream server of a configuration',
    )
    .example(
      '$0 probe --env-file .env.production --postgres pg-1 --postgres pg-2',
      'role, streaming, lag, slots, archiving',
    )
    .example('curl -s http://127.0.0.1:9101/metrics', 'evenkeel_probe_up{kind="postgres",target="pg-1"} 1')
    .epilogue(`${SECRETS_HELP}\nExit: 0 after SIGTERM or SIGINT; 2 the command line is wrong.`);
}
