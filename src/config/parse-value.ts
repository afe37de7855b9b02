import { ConfigError } from './diagnostic.ts';

/** Largest number that nginx's ngx_int_t holds; beyond it a value is refused. */
const MAX_INT = 2n ** 63n - 1n;

const MS_PER_SEC = 1000n;
const SECS: Readonly<Record<string, bigint>> = {
  y: 31_536_000n,
  M: 2_592_000n,
  w: 604_800n,
  d: 86_400n,
  h: 3_600n,
  m: 60n,
  s: 1n,
};
/** From large to small: in `1h30m` each unit must be smaller than the one before. */
const UNIT_ORDER = 'yMwdhms';
const MONTH_RANK = 1;
const MS_RANK = 7;
const BARE_RANK = 8;

/** nginx's time in milliseconds: `500ms`, `10s`, `1h30m`, `1d 12h`, `5` = five seconds; no years or months. Null when it is none. */
export function parseTimeMs(text: string): number | null {
  return parseTime(text, 'ms');
}

/** nginx's time in whole seconds: `1y`, `1M`, `30d`, never `ms`. Null when it is none. */
export function parseTimeSec(text: string): number | null {
  return parseTime(text, 'sec');
}

function parseTime(text: string, resolution: 'ms' | 'sec'): number | null {
  const perSec = resolution === 'ms' ? MS_PER_SEC : 1n;
  if (!/[0-9]/.test(text)) return null;
  let total = 0n;
  let lastRank = resolution === 'ms' ? MONTH_RANK : -1;
  let rest = text;
  while (rest !== '') {
    const part = /^([0-9]*)(ms|[yMwdhms ]|$) */.exec(rest);
    if (part === null || part[0] === '') return null;
    const [matched, digits = '', unit = ''] = part;
    const rank = unit === 'ms' ? MS_RANK : unit === ' ' || unit === '' ? BARE_RANK : UNIT_ORDER.indexOf(unit);
    if (unit === 'ms' && resolution === 'sec') return null;
    // A bare number that a blank follows counts seconds and is the last but one; at the very end it may follow anything.
    const isOutOfOrder = unit === ' ' ? lastRank >= UNIT_ORDER.indexOf('s') : unit !== '' && lastRank >= rank;
    if (isOutOfOrder) return null;
    total += BigInt(digits) * (unit === 'ms' ? 1n : (SECS[unit] ?? 1n) * perSec);
    if (total > MAX_INT) return null;
    lastRank = rank;
    rest = rest.slice(matched.length);
  }
  return Number(total);
}

/** nginx's size: `4096`, `8k`, `1m`. Null when it is none. */
export function parseSizeBytes(text: string): number | null {
  return parseBytes(text, /^([0-9]+)([kKmM]?)$/);
}

/** nginx's offset: a size that knows `g` too. Null when it is none. */
export function parseOffsetBytes(text: string): number | null {
  return parseBytes(text, /^([0-9]+)([kKmMgG]?)$/);
}

const SHIFT: Readonly<Record<string, bigint>> = { k: 10n, m: 20n, g: 30n };

function parseBytes(text: string, form: RegExp): number | null {
  const match = form.exec(text);
  if (match === null) return null;
  const bytes = BigInt(match[1] ?? '') << (SHIFT[(match[2] ?? '').toLowerCase()] ?? 0n);
  return bytes > MAX_INT ? null : Number(bytes);
}

/** Decimal digits and nothing else. Null when it is none. */
export function parseInteger(text: string): number | null {
  if (!/^[0-9]+$/.test(text)) return null;
  const value = BigInt(text);
  return value > MAX_INT ? null : Number(value);
}

/** `on` or `off`, in any case. `name` is the directive's, for the finding. */
export function parseFlag(text: string, name: string): boolean {
  const word = text.toLowerCase();
  if (word === 'on') return true;
  if (word === 'off') return false;
  throw new ConfigError(`invalid value "${text}" in "${name}" directive, it must be "on" or "off"`);
}
