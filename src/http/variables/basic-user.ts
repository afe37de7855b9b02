export interface BasicCredentials {
  readonly user: string;
  readonly password: string;
}

/** What an `Authorization: Basic` value holds (RFC 7617); null when it holds nothing. */
export function basicCredentials(authorization: string): BasicCredentials | null {
  const encoded = /^basic +(.+)$/is.exec(authorization)?.[1];
  if (encoded === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return null;
  const plain = Buffer.from(encoded, 'base64').toString('latin1');
  const colon = plain.indexOf(':');
  if (colon <= 0) return null;
  return { user: plain.slice(0, colon), password: plain.slice(colon + 1).split('\0', 1)[0] ?? '' };
}

/** User name of an `Authorization: Basic` value; null when it holds none. */
export function basicUser(authorization: string): string | null {
  return basicCredentials(authorization)?.user ?? null;
}
