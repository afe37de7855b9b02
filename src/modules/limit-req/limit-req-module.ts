import { HTTP, HTTP_SCOPES } from '../../config/contexts.ts';
import { ConfigError } from '../../config/diagnostic.ts';
import { directive } from '../../config/directive-spec.ts';
import { zoneBytes } from '../../config/zone-table.ts';
import type { HttpModule } from '../../http/http-module.ts';
import { LIMITS } from '../limit-zone/limit-plan.ts';
import { refusalRows } from '../limit-zone/limit-rows.ts';
import { type LimitReqConf, parseLimitReq, parseReqZone } from './limit-req-conf.ts';
import { compileLimitReq } from './limit-req-handler.ts';

/** `limit_req_zone`, `limit_req` and kin: nginx's leaky bucket. */
export const limitReqModule: HttpModule<LimitReqConf> = {
  name: 'limit_req',
  defaults: () => ({ zones: [], limits: [], status: 503, logLevel: 'error', isDryRun: false }),
  rows: [
    directive<LimitReqConf>({
      name: 'limit_req_zone',
      contexts: HTTP,
      args: 3,
      field: 'zones',
      repeat: 'append',
      parse: (use) => parseReqZone(use, use.scope.own(limitReqModule).zones ?? []),
      syntax: 'key zone=name:size rate=number(r/s | r/m)',
      doc: 'Requests of each value of the key are counted in this zone, by all workers together; of an empty one none is. When it is full, the least recently used go.',
    }),
    directive<LimitReqConf>({
      name: 'limit_req',
      contexts: HTTP_SCOPES,
      args: [1, 3],
      field: 'limits',
      repeat: 'append',
      parse: (use) => parseLimitReq(use, use.scope.own(limitReqModule).limits ?? []),
      syntax: 'zone=name [burst=number] [nodelay | delay=number]',
      doc: "Requests beyond the zone's rate wait, and beyond the burst are refused; several of them all hold.",
    }),
    ...refusalRows<LimitReqConf>('limit_req'),
  ],
  finish: (_merged, { limits = [] }, scope) => {
    for (const { zoneName, pos } of limits) {
      if (zoneBytes(scope, zoneName) === 0) throw new ConfigError(`zero size shared memory zone "${zoneName}"`, pos);
    }
  },
  variables: [
    { name: 'limit_req_status', compile: () => (ex) => (ex.limitReqStatus === '' ? null : ex.limitReqStatus) },
  ],
  compileHttp: ({ zones }, _scope, variables, services) => {
    for (const zone of zones) {
      variables.pos = zone.pos;
      services.get(LIMITS).add(zone, variables.template(zone.keyText));
    }
  },
  compileLocation: (conf, build) => {
    if (conf.limits.length > 0) build.addPhase('preaccess', compileLimitReq(conf, build.services));
  },
};
