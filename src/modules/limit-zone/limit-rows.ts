import { HTTP_SCOPES } from '../../config/contexts.ts';
import type { DirectiveSpec } from '../../config/directive-spec.ts';
import { integer, oneOf } from '../../config/values.ts';

/** Levels of the line that tells of a refusal, most urgent first. */
export const LIMIT_LOG_LEVELS = ['error', 'warn', 'notice', 'info'] as const;
export type LimitLogLevel = (typeof LIMIT_LOG_LEVELS)[number];

/** What `limit_req` and `limit_conn` have in common. */
export interface RefusalConf {
  status: number;
  logLevel: LimitLogLevel;
  isDryRun: boolean;
}

/** `NAME_status`, `NAME_log_level`, `NAME_dry_run`. */
export function refusalRows<C extends RefusalConf>(name: 'limit_req' | 'limit_conn'): readonly DirectiveSpec<C>[] {
  const what = name === 'limit_req' ? 'requests' : 'connections';
  return [
    {
      name: `${name}_log_level`,
      contexts: HTTP_SCOPES,
      args: 1,
      field: 'logLevel',
      parse: oneOf(LIMIT_LOG_LEVELS),
      syntax: 'info | notice | warn | error',
      defaultText: 'error',
      doc:
        name === 'limit_req'
          ? 'Level of the line about a refused request; that about a delayed one is a level lower.'
          : 'Level of the line about a refused request.',
    },
    {
      name: `${name}_status`,
      contexts: HTTP_SCOPES,
      args: 1,
      field: 'status',
      parse: integer({ min: 400, max: 599 }),
      syntax: 'code',
      defaultText: '503',
      doc: `What refused ${what === 'requests' ? 'requests are' : 'requests of too many connections are'} answered with.`,
    },
    {
      name: `${name}_dry_run`,
      contexts: HTTP_SCOPES,
      args: 'flag',
      field: 'isDryRun',
      syntax: 'on | off',
      defaultText: 'off',
      doc: `Counts ${what} and logs what would be refused, and lets all pass.`,
    },
  ];
}
