import { nowMs } from '../../core/clock.ts';
import { respondStatus } from '../../http/error-response.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { Services } from '../../http/http-module.ts';
import { DONE, NEXT, PENDING, type PhaseHandler, type PhaseResult } from '../../http/location.ts';
import { MAIN_LOG } from '../../http/observe-services.ts';
import type { Log } from '../../observe/error-log.ts';
import type { RequestVerdict } from '../../policy/limit/admit-request.ts';
import { awaitVerdict } from '../limit-zone/await-verdict.ts';
import type { ZonedRequestLimit } from '../limit-zone/limit-message.ts';
import { LIMITS, type PlannedZone } from '../limit-zone/limit-plan.ts';
import { LIMIT_LOG_LEVELS, type LimitLogLevel } from '../limit-zone/limit-rows.ts';
import { DelayedRequest } from './delayed-request.ts';
import type { LimitReqConf, LimitReqLine } from './limit-req-conf.ts';

/** nginx's: the length of a key is two bytes there. */
const MOST_KEY_BYTES = 65_535;

interface ReqLimit {
  readonly line: LimitReqLine;
  readonly planned: PlannedZone;
}

/** The handler of a location that limits requests. */
export function compileLimitReq(conf: LimitReqConf, services: Services): PhaseHandler {
  const plan = services.get(LIMITS);
  const mainLog = services.get(MAIN_LOG);
  const limits = conf.limits.flatMap((line) => {
    const planned = plan.find(line.zoneName);
    return planned === undefined ? [] : { line, planned };
  });
  return (ex) => {
    // Once for a request, wherever it is redirected.
    if (ex.limitReqStatus !== '') return NEXT;
    const asked = limitsOf(ex, limits);
    if (asked.length === 0) return NEXT;
    return awaitVerdict<RequestVerdict>(
      ex,
      (done) => plan.port.admitRequest(asked, nowMs(), done),
      (verdict) => act(ex, verdict, asked[verdict.by]?.name ?? '', conf, mainLog),
    );
  };
}

type AskedLimit = ZonedRequestLimit & { readonly name: string };

/** Those whose keys have a value. */
function limitsOf(ex: Exchange, limits: readonly ReqLimit[]): AskedLimit[] {
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
    asked.push({ zone: zone.id, name: zone.name, key, burst: line.burst, delay: line.delay });
  }
  return asked;
}

function act(ex: Exchange, verdict: RequestVerdict, zone: string, conf: LimitReqConf, mainLog: Log): PhaseResult {
  const { kind, excess, delayMs } = verdict;
  const dryRun = conf.isDryRun ? ', dry run' : '';
  switch (kind) {
    case 'passed':
      ex.limitReqStatus = 'PASSED';
      return NEXT;
    case 'delayed':
      ex.location.errorLog.write(
        levelBelow(conf.logLevel),
        ex,
        `delaying request${dryRun}, excess: ${inRequests(excess)}, by zone "${zone}"`,
      );
      ex.limitReqStatus = conf.isDryRun ? 'DELAYED_DRY_RUN' : 'DELAYED';
      if (conf.isDryRun) return NEXT;
      new DelayedRequest(ex, delayMs);
      return PENDING;
    case 'rejected':
      ex.location.errorLog.write(
        conf.logLevel,
        ex,
        `limiting requests${dryRun}, excess: ${inRequests(excess)} by zone "${zone}"`,
      );
      break;
    case 'full':
      mainLog.write('alert', `could not allocate node in limit_req zone "${zone}"`);
      break;
  }
  ex.limitReqStatus = conf.isDryRun ? 'REJECTED_DRY_RUN' : 'REJECTED';
  if (conf.isDryRun) return NEXT;
  respondStatus(ex, conf.status);
  return DONE;
}

/** `2.500`. */
function inRequests(milli: number): string {
  return `${Math.floor(milli / 1000)}.${String(milli % 1000).padStart(3, '0')}`;
}

function levelBelow(level: LimitLogLevel): LimitLogLevel {
  return LIMIT_LOG_LEVELS[LIMIT_LOG_LEVELS.indexOf(level) + 1] ?? level;
}
