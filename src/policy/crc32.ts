/** CRC-32 (IEEE 802.3), byte by byte, over byte strings: what nginx's hashes are made of. State in and out, so that it can be prolonged. */
const TABLE = makeTable();

export const CRC32_START = 0xffff_ffff;

/** Prolongs `crc` by the bytes of a latin1 string. */
export function crc32Text(crc: number, text: string): number {
  let next = crc;
  for (let i = 0; i < text.length; i++) next = crc32Byte(next, text.charCodeAt(i));
  return next;
}

export function crc32Byte(crc: number, byte: number): number {
  return (TABLE[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8);
}

/** The finished sum, unsigned. */
export function crc32End(crc: number): number {
  return ~crc >>> 0;
}

function makeTable(): Uint32Array {
  const table = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    let value = i;
    for (let bit = 0; bit < 8; bit++) value = (value & 1) === 1 ? (value >>> 1) ^ 0xedb8_8320 : value >>> 1;
    table[i] = value;
  }
  return table;
}
