import { element, INTEGER, OCTET_STRING, SEQUENCE } from './der.ts';

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
