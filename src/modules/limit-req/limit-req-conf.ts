import type { DirectiveUse } from '../../config/directive-spec.ts';
import { parseInteger } from '../../config/parse-value.ts';
import type { SourcePos } from '../../config/tree.ts';
import { nameZone } from '../../config/zone-table.ts';
import type { RefusalConf } from '../limit-zone/limit-rows.ts';
import { checkUnbound, type LimitZone, parseZoneParameter } from '../limit-zone/limit-zone.ts';

/** What the request limits say in one scope. */
export interface LimitReqConf extends RefusalConf {
  /** Of http. */
  zones: readonly LimitZone[];
  /** In the order of the file. */
  limits: readonly LimitReqLine[];
}

/** One `limit_req`; milli-requests. */
export interface LimitReqLine {
  readonly zoneName: string;
  readonly burst: number;
  readonly delay: number;
  readonly pos: SourcePos;
}

const MILLI = 1000;

/** `limit_req_zone key zone=name:size rate=rate`. */
export function parseReqZone(use: DirectiveUse, zones: readonly LimitZone[]): LimitZone {
  const [keyText = '', ...parameters] = use.args;
  let name = '';
  let bytes = 0;
  let rateMilliPerSec = MILLI;
  for (const parameter of parameters) {
    if (parameter.startsWith('zone=')) ({ name, bytes } = parseZoneParameter(parameter, use));
    else if (parameter.startsWith('rate=')) rateMilliPerSec = parseRate(parameter, use);
    else use.fail(`invalid parameter "${parameter}"`);
  }
  if (name === '') use.fail(`"${use.name}" must have "zone" parameter`);
  nameZone(use, name, 'limit_req', bytes);
  checkUnbound(use, name, zones);
  return { id: `limit_req ${name} ${bytes}`, kind: 'limit_req', name, bytes, keyText, rateMilliPerSec, pos: use.pos };
}

/** `rate=10r/s`, `rate=30r/m`; without a unit it counts seconds. */
function parseRate(parameter: string, use: DirectiveUse): number {
  const unit = parameter.slice(-3);
  const hasUnit = unit === 'r/s' || unit === 'r/m';
  const number = parseInteger(parameter.slice('rate='.length, hasUnit ? -3 : undefined));
  if (number === null || number === 0) return use.fail(`invalid rate "${parameter}"`);
  return Math.floor((number * MILLI) / (unit === 'r/m' ? 60 : 1));
}

/** `limit_req zone=name [burst=number] [nodelay | delay=number]`. `lines`: those of the scope so far. */
export function parseLimitReq(use: DirectiveUse, lines: readonly LimitReqLine[]): LimitReqLine {
  let zoneName: string | null = null;
  let burst = 0;
  let delay = 0;
  for (const parameter of use.args) {
    if (parameter.startsWith('zone=')) {
      zoneName = parameter.slice('zone='.length);
      nameZone(use, zoneName, 'limit_req', 0);
    } else if (parameter.startsWith('burst=')) burst = parseCount(parameter, 'burst', use);
    else if (parameter.startsWith('delay=')) delay = parseCount(parameter, 'delay', use);
    else if (parameter === 'nodelay') delay = Number.MAX_SAFE_INTEGER / MILLI;
    else use.fail(`invalid parameter "${parameter}"`);
  }
  if (zoneName === null) return use.fail(`"${use.name}" must have "zone" parameter`);
  if (lines.some((line) => line.zoneName === zoneName)) use.fail(`"${use.name}" directive is duplicate`);
  return { zoneName, burst: burst * MILLI, delay: delay * MILLI, pos: use.pos };
}

function parseCount(parameter: string, name: string, use: DirectiveUse): number {
  return parseInteger(parameter.slice(name.length + 1)) || use.fail(`invalid ${name} value "${parameter}"`);
}
