const DIGITS = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** crypt(3)'s text of a digest: groups of bytes, the first one highest, six bits at a time from the lowest on. */
export function cryptBase64(digest: Buffer, groups: readonly (readonly number[])[]): string {
  let text = '';
  for (const group of groups) {
    let value = 0;
    for (const at of group) value = value * 256 + (digest[at] ?? 0);
    for (let digits = Math.ceil((group.length * 8) / 6); digits > 0; digits--) {
      text += DIGITS[value & 63];
      value >>= 6;
    }
  }
  return text;
}
