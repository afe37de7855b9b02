/** User name of an `Authorization: Basic` value; null when it holds none. */
export function basicUser(authorization: string): string | null {
  const encoded = /^basic +(.+)$/is.exec(authorization)?.[1];
  if (encoded === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return null;
  const plain = Buffer.from(encoded, 'base64').toString('latin1');
  const colon = plain.indexOf(':');
  return colon > 0 ? plain.slice(0, colon) : null;
}
