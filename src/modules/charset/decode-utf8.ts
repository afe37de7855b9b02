/** The bytes end within a character. */
export const INCOMPLETE = -1;
/** The bytes are no character. */
export const MALFORMED = -2;

export interface Decoded {
  /** Its number, INCOMPLETE or MALFORMED. */
  readonly character: number;
  /** Index behind what was read. */
  readonly end: number;
}

/** nginx's ngx_utf8_decode: the character that begins at `at`, with what it skips where there is none. */
export function decodeUtf8(bytes: Uint8Array, at: number): Decoded {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return { character: first, end: at + 1 };
  const more = first >= 0xf8 || first < 0xc2 ? -1 : first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
  if (more < 0) return { character: MALFORMED, end: at + 1 };
  if (at + more >= bytes.length) return { character: INCOMPLETE, end: at };
  let character = first & (0x3f >> more);
  for (let i = 1; i <= more; i++) {
    const byte = bytes[at + i] as number;
    if (byte < 0x80) return { character: MALFORMED, end: at + i + 1 };
    character = character * 64 + (byte & 0x3f);
  }
  const isLong = character > (more === 3 ? 0xffff : more === 2 ? 0x7ff : 0x7f);
  return { character: isLong && character <= 0x10_ffff ? character : MALFORMED, end: at + more + 1 };
}
