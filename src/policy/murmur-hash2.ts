const MULTIPLIER = 0x5bd1_e995;

/** MurmurHash2 (32 bits, seed 0) over a byte string, unsigned: what nginx's split_clients places by. */
export function murmurHash2(text: string): number {
  let hash = text.length;
  let i = 0;
  for (; i + 4 <= text.length; i += 4) {
    let word =
      text.charCodeAt(i) |
      (text.charCodeAt(i + 1) << 8) |
      (text.charCodeAt(i + 2) << 16) |
      (text.charCodeAt(i + 3) << 24);
    word = Math.imul(word, MULTIPLIER);
    word ^= word >>> 24;
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(word, MULTIPLIER);
  }
  const left = text.length - i;
  if (left > 2) hash ^= text.charCodeAt(i + 2) << 16;
  if (left > 1) hash ^= text.charCodeAt(i + 1) << 8;
  if (left > 0) hash = Math.imul(hash ^ text.charCodeAt(i), MULTIPLIER);
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return (hash ^ (hash >>> 15)) >>> 0;
}
