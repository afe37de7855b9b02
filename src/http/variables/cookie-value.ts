import { lowerCase } from '../host-name.ts';

/** Value of a cookie in one `Cookie` field; null when it isn't there. `lowerName`: case does not count. A comma separates nothing (1.29.6). */
export function cookieValue(field: string, lowerName: string): string | null {
  let at = 0;
  while (at < field.length) {
    if (startsWithName(field, at, lowerName)) {
      const equals = skipSpaces(field, at + lowerName.length);
      if (field[equals] === '=') return valueAt(field, equals + 1);
      at = equals;
    }
    const end = field.indexOf(';', at);
    if (end < 0) return null;
    at = skipSpaces(field, end + 1);
  }
  return null;
}

/** Value that one `Set-Cookie` field gives to a cookie; null when it sets another one. */
export function setCookieValue(field: string, lowerName: string): string | null {
  if (!startsWithName(field, 0, lowerName)) return null;
  const equals = skipSpaces(field, lowerName.length);
  return field[equals] === '=' ? valueAt(field, equals + 1) : null;
}

function valueAt(field: string, at: number): string {
  const start = skipSpaces(field, at);
  const end = field.indexOf(';', start);
  return field.slice(start, end < 0 ? field.length : end);
}

function startsWithName(field: string, at: number, lowerName: string): boolean {
  return lowerCase(field.slice(at, at + lowerName.length)) === lowerName;
}

function skipSpaces(field: string, at: number): number {
  let next = at;
  while (field[next] === ' ') next++;
  return next;
}
