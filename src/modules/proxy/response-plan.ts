import type { ByteRange } from '../../http/byte-range.ts';
import type { Exchange } from '../../http/exchange.ts';
import { limitRateAfterBytes, limitRateBytes } from '../../http/limit-rate.ts';
import type { PipeSettings } from '../../http/response-pipe.ts';
import type { UpstreamResponseHead } from '../../http/upstream-response-head.ts';
import { cutRange } from './forced-range.ts';
import type { ProxyLocation } from './proxy-location.ts';
import type { AccelFields } from './response-fields.ts';

/** What to do with a response that is not given to another peer. */
export const RESPONSE_KINDS = ['pass', 'tunnel', 'accel-redirect', 'error-page', 'unsatisfiable-range'] as const;
export type ResponseKind = (typeof RESPONSE_KINDS)[number];

/** One per request object, overwritten. */
export class ResponsePlan implements AccelFields {
  kind: ResponseKind = 'pass';
  redirect: string | null = null;
  buffering: boolean | null = null;
  limitRateBytes = -1;
  range: ByteRange | null = null;

  /** Decides, and fills `ex.response` with what goes out. */
  make(ex: Exchange, location: ProxyLocation, head: UpstreamResponseHead): void {
    const fields = location.responseFields;
    this.range = null;
    this.kind = 'pass';
    // 1. error_page, or another location, answers.
    const { errorPageStatuses } = ex.location;
    if (location.interceptsErrors && head.status >= 300 && errorPageStatuses?.has(head.status) === true) {
      const challenge = head.status === 401 ? head.headers.get('www-authenticate') : null;
      if (challenge !== null) ex.response.add('WWW-Authenticate', challenge);
      this.kind = 'error-page';
      return;
    }
    fields.readAccel(head, this);
    if (this.redirect !== null) {
      fields.keepForRedirect(ex, head);
      this.kind = 'accel-redirect';
      return;
    }
    // 2. The peer's answer, edited.
    fields.apply(ex, head);
    if (head.status === 101) {
      this.kind = 'tunnel';
      return;
    }
    // 3. A part of it.
    if (!location.forcesRanges) return;
    const range = cutRange(ex);
    if (range === 'unsatisfiable') this.kind = 'unsatisfiable-range';
    else this.range = range;
  }

  /** The location's settings, or what X-Accel-… and variables make of them. */
  pipeSettings(ex: Exchange, location: ProxyLocation): PipeSettings {
    const { pipe } = location;
    const readRateBytes = location.readRateBytes(ex);
    const { limitRate, limitRateAfter } = ex.location;
    const isVarying =
      ex.limitRateBytes >= 0 || limitRate !== null || limitRateAfter !== null || readRateBytes !== pipe.readRateBytes;
    if (this.buffering === null && this.limitRateBytes < 0 && !isVarying) return pipe;
    const isBuffered = this.buffering ?? pipe.isBuffered;
    // As in nginx, limit_rate is for buffered responses.
    const rateBytes = !isBuffered ? 0 : this.limitRateBytes < 0 ? limitRateBytes(ex) : this.limitRateBytes;
    return {
      ...pipe,
      isBuffered,
      limitRateBytes: rateBytes,
      limitRateAfterBytes: rateBytes > 0 ? limitRateAfterBytes(ex) : 0,
      readRateBytes,
    };
  }
}
