/**
 * The path of a request target as locations see it: `%XX` decoded, `.` and `..` resolved, slashes merged.
 * Behaves as nginx's ngx_http_parse_complex_uri.
 */
const SLASH = 0x2f;
const DOT = 0x2e;
const PERCENT = 0x25;
const QUESTION = 0x3f;
const SHARP = 0x23;

/** What a parsed target says. One object for the whole process: read it before the next call. */
export interface ParsedTarget {
  /** Normalised, unescaped path. */
  uri: string;
  /** Query without `?`, up to a `#`. */
  args: string;
  /** The path differs from what was sent. */
  isChanged: boolean;
  /** The path was sent with `%XX`: a part of it that is sent on must be escaped again. */
  isQuoted: boolean;
}

const parsed: ParsedTarget = { uri: '', args: '', isChanged: false, isQuoted: false };

/**
 * Splits and normalises a target in origin form (`/path?query`; an empty path counts as `/`).
 * Null: refuse it with 400 (bad `%XX`, `%00`, above the root). The result is reused by the next call.
 */
export function parseTarget(target: string, mergeSlashes: boolean): ParsedTarget | null {
  const length = target.length;
  if (length === 0 || target.charCodeAt(0) !== SLASH) {
    return length === 0 || target.charCodeAt(0) === QUESTION ? parseComplex(`/${target}`, mergeSlashes, true) : null;
  }
  let previous = 0;
  let i = 0;
  for (; i < length; i++) {
    const c = target.charCodeAt(i);
    if (c === QUESTION) break;
    if (c === PERCENT || c === SHARP) return parseComplex(target, mergeSlashes, false);
    if (previous === SLASH && (c === SLASH || c === DOT)) return parseComplex(target, mergeSlashes, false);
    previous = c;
  }
  if (i === length) {
    parsed.uri = target;
    parsed.args = '';
  } else {
    parsed.uri = target.slice(0, i);
    parsed.args = withoutFragment(target, i + 1);
  }
  parsed.isChanged = false;
  parsed.isQuoted = false;
  return parsed;
}

function withoutFragment(target: string, start: number): string {
  const sharp = target.indexOf('#', start);
  return sharp < 0 ? target.slice(start) : target.slice(start, sharp);
}

// What the path is written to, byte by byte; grows to the longest path seen. Valid during one call.
let scratch = Buffer.allocUnsafeSlow(4096);

function parseComplex(target: string, mergeSlashes: boolean, wasEmpty: boolean): ParsedTarget | null {
  if (scratch.length < target.length) scratch = Buffer.allocUnsafeSlow(target.length * 2);
  const out = scratch;
  let length = 0;
  /** Start of the segment at hand in `out`: the byte behind its slash. */
  let segment = 0;
  let isQuoted = false;
  let i = 0;
  parsed.args = '';
  for (; i < target.length; i++) {
    let c = target.charCodeAt(i);
    let isLiteral = false;
    if (c === QUESTION) {
      parsed.args = withoutFragment(target, i + 1);
      break;
    }
    if (c === SHARP) break;
    if (c === PERCENT) {
      const high = hexValue(target.charCodeAt(i + 1));
      const low = hexValue(target.charCodeAt(i + 2));
      if (high < 0 || low < 0) return null;
      c = (high << 4) | low;
      if (c === 0) return null;
      isQuoted = true;
      // Decoded `%`, `#` and `?` are ordinary bytes; a decoded slash or dot counts as one.
      isLiteral = c === PERCENT || c === SHARP || c === QUESTION;
      i += 2;
    }
    if (c !== SLASH || isLiteral) {
      out[length++] = c;
      continue;
    }
    const isEmpty = length === segment && segment > 0;
    length = closeSegment(out, segment, length);
    if (length < 0) return null;
    // A dot segment leaves the slash before it in place; so does an empty one when slashes are merged.
    const endsInSlash = length > 0 && out[length - 1] === SLASH;
    if (isEmpty ? !mergeSlashes : !endsInSlash) out[length++] = SLASH;
    segment = length;
  }
  length = closeSegment(out, segment, length);
  if (length < 0) return null;
  parsed.uri = out.toString('latin1', 0, length);
  parsed.isChanged = wasEmpty || length !== i || !target.startsWith(parsed.uri);
  parsed.isQuoted = isQuoted;
  return parsed;
}

/** Resolves the segment `out[segment, length)` when it is `.` or `..`. The new length; -1 when it leads above the root. */
function closeSegment(out: Buffer, segment: number, length: number): number {
  const size = length - segment;
  if (size === 0 || size > 2 || segment === 0 || out[segment] !== DOT) return length;
  if (size === 1) return segment;
  if (out[segment + 1] !== DOT) return length;
  for (let at = segment - 2; at >= 0; at--) if (out[at] === SLASH) return at + 1;
  return -1;
}

function hexValue(c: number): number {
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  const letter = c | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
