const DOT = 0x2e;
const COLON = 0x3a;

/** Bytes of a plain name: letters in lower case, digits, `-`, `_`. */
const PLAIN = new Uint8Array(256);
for (const c of 'abcdefghijklmnopqrstuvwxyz0123456789-_') PLAIN[c.charCodeAt(0)] = 1;

/** `host [":" port]` of RFC 3986, of which dots are looked at apart. */
const HOST_AND_PORT = /^([\w.~!$&'()*+,;=%-]*|\[[\w.~!$&'()*+,;=:-]*\])(?::([0-9]*))?$/;

const MOST_PORT = 65_535;

/**
 * The host that `Host: value` names: lower case, without port and without a closing dot; an IPv6 literal keeps its brackets.
 * Null: refuse the request with 400. Takes and refuses what ngx_http_validate_host does since 1.29.4 (RFC 3986 section 3.2).
 */
export function validateHost(value: string): string | null {
  if (value !== lastValue) {
    lastHost = validate(value);
    lastValue = value;
  }
  return lastHost;
}

// The value asked for last: on most machines the next one too.
let lastValue = '';
let lastHost: string | null = null;

function validate(value: string): string | null {
  const length = value.length;
  let previous = DOT;
  for (let i = 0; i < length; i++) {
    const c = value.charCodeAt(i);
    if (c === COLON && previous !== DOT) return isPort(value, i + 1) ? value.slice(0, i) : null;
    if (PLAIN[c] === 0 && (c !== DOT || previous === DOT)) return validateOther(value);
    previous = c;
  }
  return previous === DOT ? validateOther(value) : value;
}

function isPort(value: string, start: number): boolean {
  let port = 0;
  for (let i = start; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (c < 0x30 || c > 0x39) return false;
    port = port * 10 + c - 0x30;
    if (port > MOST_PORT) return false;
  }
  return true;
}

function validateOther(value: string): string | null {
  const parts = HOST_AND_PORT.exec(value);
  if (parts === null) return null;
  const [, named = '', port = ''] = parts;
  if (named.includes('..') || !isPort(port, 0)) return null;
  const host = named.endsWith('.') ? named.slice(0, -1) : named;
  return host === '' ? null : lowerCase(host);
}

/** Lower case for ASCII letters only: other bytes are not ours to change. */
export function lowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
