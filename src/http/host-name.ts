const DOT = 0x2e;
const COLON = 0x3a;

/** Bytes of a plain name: letters in lower case, digits, `-`, `_`. */
const PLAIN = new Uint8Array(256);
for (const c of 'abcdefghijklmnopqrstuvwxyz0123456789-_') PLAIN[c.charCodeAt(0)] = 1;

/** Never part of a host. nginx looks at the port's bytes too. */
const REFUSED = /[\0- \x7f/]|\.\./;

/**
 * The host that `Host: value` names: lower case, without port and without a closing dot; an IPv6 literal keeps its brackets.
 * Null: refuse the request with 400. Takes and refuses what ngx_http_validate_host does.
 */
export function validateHost(value: string): string | null {
  const length = value.length;
  let previous = DOT;
  for (let i = 0; i < length; i++) {
    const c = value.charCodeAt(i);
    if (c === COLON && previous !== DOT) return isPort(value, i + 1) ? value.slice(0, i) : validateOther(value);
    if (PLAIN[c] === 0 && (c !== DOT || previous === DOT)) return validateOther(value);
    previous = c;
  }
  return previous === DOT ? validateOther(value) : value;
}

function isPort(value: string, start: number): boolean {
  for (let i = start; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (c < 0x30 || c > 0x39) return false;
  }
  return true;
}

function validateOther(value: string): string | null {
  if (REFUSED.test(value)) return null;
  const end = value.charCodeAt(0) === 0x5b ? literalEnd(value) : beforeColon(value);
  const host = value.charCodeAt(end - 1) === DOT ? value.slice(0, end - 1) : value.slice(0, end);
  return host === '' ? null : lowerCase(host);
}

/** Index behind the `]`; the whole value when there is none, as nginx has it. */
function literalEnd(value: string): number {
  const close = value.indexOf(']');
  return close < 0 ? value.length : close + 1;
}

function beforeColon(value: string): number {
  const colon = value.indexOf(':');
  return colon < 0 ? value.length : colon;
}

/** Lower case for ASCII letters only: other bytes are not ours to change. */
export function lowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
