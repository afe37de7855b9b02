import { HTTP, HTTP_SCOPES } from '../../config/contexts.ts';
import { ConfigError } from '../../config/diagnostic.ts';
import { type DirectiveUse, directive } from '../../config/directive-spec.ts';
import { parseInteger } from '../../config/parse-value.ts';
import type { SourcePos } from '../../config/tree.ts';
import { nameZone, zoneBytes } from '../../config/zone-table.ts';
import type { HttpModule } from '../../http/http-module.ts';
import { LIMITS } from '../limit-zone/limit-plan.ts';
import { type RefusalConf, refusalRows } from '../limit-zone/limit-rows.ts';
import { checkUnbound, type LimitZone, parseZoneParameter } from '../limit-zone/limit-zone.ts';
import { compileLimitConn } from './limit-conn-handler.ts';

/** What the connection limits say in one scope. */
export interface LimitConnConf extends RefusalConf {
  /** Of http. */
  zones: readonly LimitZone[];
  /** In the order of the file. */
  limits: readonly LimitConnLine[];
}

/** One `limit_conn`. */
export interface LimitConnLine {
  readonly zoneName: string;
  readonly most: number;
  readonly pos: SourcePos;
}

const MOST_CONNECTIONS = 65_535;

/** `limit_conn_zone`, `limit_conn` and kin. A connection counts while a request of it is under way. */
export const limitConnModule: HttpModule<LimitConnConf> = {
  name: 'limit_conn',
  defaults: () => ({ zones: [], limits: [], status: 503, logLevel: 'error', isDryRun: false }),
  rows: [
    directive<LimitConnConf>({
      name: 'limit_conn_zone',
      contexts: HTTP,
      args: 2,
      field: 'zones',
      repeat: 'append',
      parse: (use) => parseConnZone(use, use.scope.own(limitConnModule).zones ?? []),
      syntax: 'key zone=name:size',
      doc: 'Connections of each value of the key are counted in this zone, by all workers together; of an empty one none is.',
    }),
    directive<LimitConnConf>({
      name: 'limit_conn',
      contexts: HTTP_SCOPES,
      args: 2,
      field: 'limits',
      repeat: 'append',
      parse: (use) => parseLimitConn(use, use.scope.own(limitConnModule).limits ?? []),
      syntax: 'zone number',
      doc: 'Most connections of one value of the key that have a request under way; several of them all hold.',
    }),
    ...refusalRows<LimitConnConf>('limit_conn'),
  ],
  finish: (_merged, { limits = [] }, scope) => {
    for (const { zoneName, pos } of limits) {
      if (zoneBytes(scope, zoneName) === 0) throw new ConfigError(`zero size shared memory zone "${zoneName}"`, pos);
    }
  },
  variables: [
    { name: 'limit_conn_status', compile: () => (ex) => (ex.limitConnStatus === '' ? null : ex.limitConnStatus) },
  ],
  compileHttp: ({ zones }, _scope, variables, services) => {
    for (const zone of zones) {
      variables.pos = zone.pos;
      services.get(LIMITS).add(zone, variables.template(zone.keyText));
    }
  },
  compileLocation: (conf, build) => {
    if (conf.limits.length > 0) build.addPhase('preaccess', compileLimitConn(conf, build.services));
  },
};

function parseConnZone(use: DirectiveUse, zones: readonly LimitZone[]): LimitZone {
  const [keyText = '', parameter = ''] = use.args;
  if (!parameter.startsWith('zone=')) use.fail(`invalid parameter "${parameter}"`);
  const { name, bytes } = parseZoneParameter(parameter, use);
  if (name === '') use.fail(`"${use.name}" must have "zone" parameter`);
  nameZone(use, name, 'limit_conn', bytes);
  checkUnbound(use, name, zones);
  return {
    id: `limit_conn ${name} ${bytes}`,
    kind: 'limit_conn',
    name,
    bytes,
    keyText,
    rateMilliPerSec: 0,
    pos: use.pos,
  };
}

function parseLimitConn(use: DirectiveUse, lines: readonly LimitConnLine[]): LimitConnLine {
  const [zoneName = '', number = ''] = use.args;
  nameZone(use, zoneName, 'limit_conn', 0);
  if (lines.some((line) => line.zoneName === zoneName)) use.fail(`"${use.name}" directive is duplicate`);
  const most = parseInteger(number) || use.fail(`invalid number of connections "${number}"`);
  if (most > MOST_CONNECTIONS) use.fail(`connection limit must be less ${MOST_CONNECTIONS + 1}`);
  return { zoneName, most, pos: use.pos };
}
