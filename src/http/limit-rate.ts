import { parseSizeBytes } from '../config/parse-value.ts';
import type { Exchange } from './exchange.ts';
import type { Pace } from './rate.ts';
import type { Template } from './variable.ts';

/** `limit_rate` of a response in bytes per second; 0 = no limit. */
export function limitRateBytes(ex: Exchange): number {
  const { limitRate, core } = ex.location;
  if (ex.limitRateBytes >= 0) return ex.limitRateBytes;
  return limitRate === null ? core.limitRateBytes : evaluated(limitRate, ex);
}

/** `limit_rate_after`: bytes that go out before the limit holds. */
export function limitRateAfterBytes(ex: Exchange): number {
  const { limitRateAfter, core } = ex.location;
  return limitRateAfter === null ? core.limitRateAfterBytes : evaluated(limitRateAfter, ex);
}

/**
 * The pace of a response whose head was sent, for who sends its body; null: none. Where the body goes through filters null too: what they make
 * of it is paced.
 */
export function paceOf(ex: Exchange): Pace | null {
  const bytesPerSec = limitRateBytes(ex);
  if (bytesPerSec === 0) return null;
  const pace: Pace = { bytesPerSec, afterBytes: limitRateAfterBytes(ex) };
  if (ex.filtered === null) return pace;
  ex.filtered.pace(pace);
  return null;
}

/** `set $limit_rate`; what is no size changes nothing, and nginx says so. */
export function assignLimitRate(ex: Exchange, value: string): void {
  const bytes = parseSizeBytes(value);
  if (bytes === null) ex.location.errorLog.write('error', ex, `invalid $limit_rate "${value}"`);
  else ex.limitRateBytes = bytes;
}

/** What is no size counts as 0, and nginx says so. */
function evaluated(template: Template, ex: Exchange): number {
  const text = template.evaluate(ex);
  const bytes = parseSizeBytes(text);
  if (bytes === null) ex.location.errorLog.write('error', ex, `invalid size "${text}" while sending to client`);
  return bytes ?? 0;
}
