import { nowMs } from '../../core/clock.ts';
import { respondStatus } from '../../http/error-response.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { Services } from '../../http/http-module.ts';
import { DONE, NEXT, type PhaseHandler, type PhaseResult } from '../../http/location.ts';
import { MAIN_LOG } from '../../http/observe-services.ts';
import type { Log } from '../../observe/error-log.ts';
import type { ConnectionVerdict } from '../../policy/limit/admit-connection.ts';
import { awaitVerdict } from '../limit-zone/await-verdict.ts';
import type { ZonedConnectionLimit } from '../limit-zone/limit-message.ts';
import { LIMITS, type PlannedZone } from '../limit-zone/limit-plan.ts';
import type { LimitPort } from '../limit-zone/limit-port.ts';
import type { LimitConnConf, LimitConnLine } from './limit-conn-module.ts';

/** nginx's: the length of a key is one byte there. */
const MOST_KEY_BYTES = 255;

interface ConnLimit {
  readonly line: LimitConnLine;
  readonly planned: PlannedZone;
}

type AskedLimit = ZonedConnectionLimit & { readonly name: string };

/** The handler of a location that limits connections. */
export function compileLimitConn(conf: LimitConnConf, services: Services): PhaseHandler {
  const plan = services.get(LIMITS);
  const mainLog = services.get(MAIN_LOG);
  const limits = conf.limits.flatMap((line) => {
    const planned = plan.find(line.zoneName);
    return planned === undefined ? [] : { line, planned };
  });
  return (ex) => {
    // Once for a request, wherever it is redirected.
    if (ex.limitConnStatus !== '') return NEXT;
    const asked = limitsOf(ex, limits);
    if (asked.length === 0) return NEXT;
    return awaitVerdict<ConnectionVerdict>(
      ex,
      (done) => plan.port.admitConnection(asked, nowMs(), done),
      (verdict) => {
        if (verdict.kind === 'passed') return pass(ex, asked, plan.port);
        return refuse(ex, verdict, asked[verdict.by]?.name ?? '', conf, mainLog);
      },
    );
  };
}

/** Those whose keys have a value. */
function limitsOf(ex: Exchange, limits: readonly ConnLimit[]): AskedLimit[] {
  const asked: AskedLimit[] = [];
  for (const { line, planned } of limits) {
    const { zone } = planned;
    const key = planned.key.evaluate(ex);
    if (key === '') continue;
    if (key.length > MOST_KEY_BYTES) {
      ex.location.errorLog.write(
        'error',
        ex,
        `the value of the "${zone.keyText}" key is more than ${MOST_KEY_BYTES} bytes: "${key}"`,
      );
      continue;
    }
    asked.push({ zone: zone.id, name: zone.name, key, most: line.most });
  }
  return asked;
}

/** It counts until the exchange is over, log phase included. */
function pass(ex: Exchange, asked: readonly AskedLimit[], port: LimitPort): PhaseResult {
  ex.limitConnStatus = 'PASSED';
  ex.held.push({ recycle: () => port.release(asked) });
  return NEXT;
}

function refuse(
  ex: Exchange,
  { kind }: ConnectionVerdict,
  zone: string,
  conf: LimitConnConf,
  mainLog: Log,
): PhaseResult {
  if (kind === 'full') {
    mainLog.write('crit', `ngx_slab_alloc() failed: no memory in limit_conn_zone "${zone}"`);
  } else {
    const dryRun = conf.isDryRun ? ', dry run,' : '';
    ex.location.errorLog.write(conf.logLevel, ex, `limiting connections${dryRun} by zone "${zone}"`);
  }
  ex.limitConnStatus = conf.isDryRun ? 'REJECTED_DRY_RUN' : 'REJECTED';
  if (conf.isDryRun) return NEXT;
  respondStatus(ex, conf.status);
  return DONE;
}
