const LOWER = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte));

/** ASCII letters in lower case, all other bytes as they are; a copy. */
export function lowerCase(bytes: Buffer): Buffer {
  const { length } = bytes;
  const result = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) result[i] = LOWER[bytes[i] as number] as number;
  return result;
}
