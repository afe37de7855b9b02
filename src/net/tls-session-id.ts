const SEQUENCE = 0x30;
const INTEGER = 0x02;
const OCTET_STRING = 0x04;

/** The session id in a session as `getSession()` gives it (OpenSSL's SSL_SESSION_ASN1: version, protocol, cipher, session id, …), in hexadecimal; ''. */
export function sessionIdOf(session: Buffer): string {
  const whole = element(session, 0);
  if (whole === null || whole.tag !== SEQUENCE) return '';
  let at = whole.start;
  for (const tag of [INTEGER, INTEGER, OCTET_STRING]) {
    const field = element(session, at);
    if (field === null || field.tag !== tag) return '';
    at = field.end;
  }
  const id = element(session, at);
  return id === null || id.tag !== OCTET_STRING ? '' : session.toString('hex', id.start, id.end);
}

interface Element {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

/** The DER element at `at`; null when the bytes do not hold one. */
export function element(bytes: Buffer, at: number): Element | null {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) return null;
  const more = first < 0x80 ? 0 : first & 0x7f;
  if (more > 4 || at + 2 + more > bytes.length) return null;
  const length = more === 0 ? first & 0x7f : bytes.readUIntBE(at + 2, more);
  const start = at + 2 + more;
  return start + length > bytes.length ? null : { tag, start, end: start + length };
}
