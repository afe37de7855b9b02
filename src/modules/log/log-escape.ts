/** How `log_format` writes values so that a log line stays one line: nginx's `escape=`. */
export const LOG_ESCAPES = ['default', 'json', 'none'] as const;
export type LogEscape = (typeof LOG_ESCAPES)[number];

/** Quote, backslash, controls, DEL and all above. */
const DEFAULT_SPECIALS = /["\\\0-\x1f\x7f-\xff]/g;
const JSON_SPECIALS = /["\\\0-\x1f]/g;

/** 1 for the bytes of `specials`: most values have none, and a loop over a table says so sooner than a regex. */
function tableOf(specials: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (String.fromCharCode(byte).search(specials) < 0 ? 0 : 1));
}

const DEFAULT_TABLE = tableOf(DEFAULT_SPECIALS);
const JSON_TABLE = tableOf(JSON_SPECIALS);

function hasAny(value: string, table: Uint8Array): boolean {
  for (let i = 0; i < value.length; i++) if (table[value.charCodeAt(i)] === 1) return true;
  return false;
}

const JSON_SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
  '\f': '\\f',
};

/** Two upper-case hexadecimal digits per byte. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).toUpperCase().padStart(2, '0'));

const hexOf = (char: string): string => HEX[char.charCodeAt(0)] as string;

/** `\xHH` for what could end the field or the line; `-` for a value that is not there. */
function escapeDefault(value: string | null): string {
  if (value === null) return '-';
  return hasAny(value, DEFAULT_TABLE) ? value.replace(DEFAULT_SPECIALS, (char) => `\\x${hexOf(char)}`) : value;
}

/** The inside of a JSON string; nothing for a value that is not there. Bytes above 0x7e stay as they are. */
function escapeJson(value: string | null): string {
  if (value === null) return '';
  if (!hasAny(value, JSON_TABLE)) return value;
  return value.replace(JSON_SPECIALS, (char) => JSON_SHORT[char] ?? `\\u00${hexOf(char)}`);
}

function escapeNone(value: string | null): string {
  return value ?? '';
}

/** Writes a value; null is one that is not there. */
export type Escaper = (value: string | null) => string;

export const ESCAPERS: Readonly<Record<LogEscape, Escaper>> = {
  default: escapeDefault,
  json: escapeJson,
  none: escapeNone,
};
