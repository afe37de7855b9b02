/** How `log_format` writes values so that a log line stays one line: nginx's `escape=`. */
export const LOG_ESCAPES = ['default', 'json', 'none'] as const;
export type LogEscape = (typeof LOG_ESCAPES)[number];

/** Quote, backslash, controls, DEL and all above. */
const DEFAULT_SPECIAL = /["\\\0-\x1f\x7f-\xff]/;
const DEFAULT_SPECIALS = new RegExp(DEFAULT_SPECIAL, 'g');
const JSON_SPECIAL = /["\\\0-\x1f]/;
const JSON_SPECIALS = new RegExp(JSON_SPECIAL, 'g');

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
  return DEFAULT_SPECIAL.test(value) ? value.replace(DEFAULT_SPECIALS, (char) => `\\x${hexOf(char)}`) : value;
}

/** The inside of a JSON string; nothing for a value that is not there. Bytes above 0x7e stay as they are. */
function escapeJson(value: string | null): string {
  if (value === null) return '';
  if (!JSON_SPECIAL.test(value)) return value;
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
