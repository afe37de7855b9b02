import { parseSizeBytes } from '../config/parse-value.ts';
import type { Exchange } from './exchange.ts';
import type { Template } from './variable.ts';

/** `limit_rate` of a response in bytes per second; 0 = no limit. */
export function limitRateBytes(ex: Exchange): number {
  const { limitRate, core } = ex.location;
  return limitRate === null ? core.limitRateBytes : evaluated(limitRate, ex);
}

/** `limit_rate_after`: bytes that go out before the limit holds. */
export function limitRateAfterBytes(ex: Exchange): number {
  const { limitRateAfter, core } = ex.location;
  return limitRateAfter === null ? core.limitRateAfterBytes : evaluated(limitRateAfter, ex);
}

/** What is no size counts as 0, and nginx says so. */
function evaluated(template: Template, ex: Exchange): number {
  const text = template.evaluate(ex);
  const bytes = parseSizeBytes(text);
  if (bytes === null) ex.location.errorLog.write('error', ex, `invalid size "${text}" while sending to client`);
  return bytes ?? 0;
}
