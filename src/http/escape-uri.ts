/** nginx's ngx_escape_uri: bytes that may not stand in a part of a URI become `%XX`. Strings are byte strings. */

function table(isEscaped: (c: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, c) => (isEscaped(c) ? 1 : 0));
}

const among = (chars: string) => (c: number) => c <= 0x20 || c >= 0x7f || chars.includes(String.fromCharCode(c));

const PATH = table(among('"#%<>?\\^`{|}'));
const ARGS = table(among('"#%&+<>\\^`{|}'));
const UNSENDABLE = table((c) => c <= 0x20 || c === 0x7f);
const COMPONENT = table((c) => !/[A-Za-z0-9._~-]/.test(String.fromCharCode(c)));

const HEX = Array.from({ length: 256 }, (_, c) => `%${c.toString(16).toUpperCase().padStart(2, '0')}`);

/** A path: what proxy_pass sends for a changed URI, `Location` of redirects. */
export function escapeUri(text: string): string {
  return escapeWith(PATH, text);
}

/**
 * A whole request target, from wherever: only bytes that would end it, or the line that it stands in, become `%XX`.
 * `$uri` and captures are decoded: `/a%0d%0aX` must not reach a peer as two lines.
 */
export function escapeTarget(text: string): string {
  return escapeWith(UNSENDABLE, text);
}

/** A value inside a query. */
export function escapeArgs(text: string): string {
  return escapeWith(ARGS, text);
}

/** Everything but letters, digits, `-`, `.`, `_` and `~`. */
export function escapeUriComponent(text: string): string {
  return escapeWith(COMPONENT, text);
}

function escapeWith(escaped: Uint8Array, text: string): string {
  for (let i = 0; i < text.length; i++) {
    if (escaped[text.charCodeAt(i)] === 1) return escapeFrom(escaped, text, i);
  }
  return text;
}

function escapeFrom(escaped: Uint8Array, text: string, first: number): string {
  let result = text.slice(0, first);
  for (let i = first; i < text.length; i++) {
    const c = text.charCodeAt(i);
    result += escaped[c] === 1 ? HEX[c] : text[i];
  }
  return result;
}
