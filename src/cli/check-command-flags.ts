import type { Argv } from 'yargs';
import { declareCheckFlags } from './check-flags.ts';

/** Of `--watch` without a value. */
export const DEFAULT_EVERY = '2';

/** Where passwords come from, in the help of `check` and `probe`. */
export const SECRETS_HELP = [
  'Passwords are no flags, as everybody could read them: POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB, REDIS_PASSWORD and',
  'SENTINEL_PASSWORD come from the environment or --env-file; POSTGRES_PASSWORD_FILE and so on name files instead.',
  'Every flag has a variable too: --max-lag is EVENKEEL_MAX_LAG; lists are split at blanks and commas.',
].join('\n');

/** Declares the flags of `evenkeel check`, and teaches them. */
export function checkFlags(command: Argv): Argv {
  return declareCheckFlags(command)
    .option('json', { type: 'boolean', describe: 'One JSON document (with --watch: one a line)' })
    .option('watch', {
      type: 'string',
      describe: `Look again and again, every so many seconds [default: ${DEFAULT_EVERY}]`,
    })
    .option('color', { type: 'boolean', describe: 'Colours, or --no-color; without either on a terminal only' })
    .example(
      '$0 check --balancer https://shop.example/health --body healthy',
      'the balancer, its certificate, its answer',
    )
    .example(
      '$0 check --api http://localhost/api/health --backend 10.0.0.1:8000 --backend 10.0.0.2:8000',
      'backends through it and one by one',
    )
    .example('$0 check --conf /etc/nginx/nginx.conf', 'every port and every upstream server that is in it')
    .example(
      '$0 check --env-file .env.production --postgres pg-1 --postgres pg-2',
      'one must be primary, the other stream from it',
    )
    .example(
      '$0 check --env-file .env.production --redis r-1 --redis r-2 --sentinel s-1 --sentinel s-2 --sentinel s-3',
      'master, replica, and Sentinels that agree on them',
    )
    .example('$0 check --conf nginx.conf --json | jq -r ".checks[] | select(.healthy | not) | .reason"', 'for scripts')
    .epilogue(
      `${SECRETS_HELP}\nExit: 0 everything is well; 1 something is not, or could not be seen; 2 the command line is wrong.`,
    );
}
