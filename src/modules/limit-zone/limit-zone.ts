import type { DirectiveUse } from '../../config/directive-spec.ts';
import { parseSizeBytes } from '../../config/parse-value.ts';
import type { SourcePos } from '../../config/tree.ts';

/** A `limit_req_zone` or `limit_conn_zone`, plain JSON. */
export interface LimitZone {
  /** Kind, name and size: what has to be the same for the states to outlive a reload. */
  readonly id: string;
  readonly kind: 'limit_req' | 'limit_conn';
  readonly name: string;
  readonly bytes: number;
  /** The key as written: it may not change while the zone lives. */
  readonly keyText: string;
  /** Milli-requests per second; 0 for connections. */
  readonly rateMilliPerSec: number;
  readonly pos: SourcePos;
}

/** nginx's least: eight memory pages. */
const LEAST_BYTES = 32_768;

/** `zone=NAME:SIZE`. */
export function parseZoneParameter(
  parameter: string,
  use: DirectiveUse,
): { readonly name: string; readonly bytes: number } {
  const text = parameter.slice('zone='.length);
  const colon = text.indexOf(':');
  const bytes = colon < 0 ? null : parseSizeBytes(text.slice(colon + 1));
  if (bytes === null) return use.fail(`invalid zone size "${parameter}"`);
  if (bytes < LEAST_BYTES) return use.fail(`zone "${parameter}" is too small`);
  return { name: text.slice(0, colon), bytes };
}

/** Ends with nginx's words when the name is taken by a zone of the same kind. */
export function checkUnbound(use: DirectiveUse, name: string, zones: readonly LimitZone[]): void {
  const known = zones.find((zone) => zone.name === name);
  if (known !== undefined) use.fail(`${use.name} "${name}" is already bound to key "${known.keyText}"`);
}

/** nginx's finding of a reload that gives a living zone another key; null: none. */
export function changedKey(before: readonly LimitZone[], after: readonly LimitZone[]): string | null {
  for (const zone of after) {
    const known = before.find((one) => one.id === zone.id);
    if (known === undefined || known.keyText === zone.keyText) continue;
    const what = zone.kind === 'limit_req' ? 'limit_req' : 'limit_conn_zone';
    return `${what} "${zone.name}" uses the "${zone.keyText}" key while previously it used the "${known.keyText}" key`;
  }
  return null;
}
