/**
 * Header names that the proxy itself looks at, as small integers, so that the parsers and writers compare numbers.
 * The list's order is the id; 0 means "any other".
 */
export const KNOWN_HEADERS = [
  '',
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'keep-alive',
  'upgrade',
  'expect',
  'te',
  'trailer',
  'content-type',
  'date',
  'server',
  'location',
  'refresh',
  'set-cookie',
  'cookie',
  'user-agent',
  'referer',
  'x-forwarded-for',
  'x-real-ip',
  'via',
  'x-pad',
  'x-accel-redirect',
  'x-accel-expires',
  'x-accel-limit-rate',
  'x-accel-buffering',
  'x-accel-charset',
  'last-modified',
  'etag',
  'cache-control',
  'expires',
  'vary',
  'content-encoding',
  'content-range',
  'accept-ranges',
  'range',
  'if-range',
  'if-modified-since',
  'if-none-match',
  'if-match',
  'if-unmodified-since',
  'accept-encoding',
  'authorization',
  'www-authenticate',
  'link',
  'proxy-connection',
  'http2-settings',
] as const;

export type KnownHeader = Exclude<(typeof KNOWN_HEADERS)[number], ''>;

/** Id of a header name. */
export const HEADER_ID = Object.fromEntries(KNOWN_HEADERS.map((name, id) => [name, id])) as Record<KnownHeader, number>;
const idByName: ReadonlyMap<string, number> = new Map(Object.entries(HEADER_ID));

// One bucket per mix of length, first and last letter; names that share one are tried in turn.
const BUCKET_MASK = 511;
const bucketOf = (length: number, first: number, last: number) =>
  ((length << 4) ^ ((first | 0x20) * 3) ^ ((last | 0x20) << 2)) & BUCKET_MASK;
const buckets: (readonly number[] | null)[] = Array.from({ length: BUCKET_MASK + 1 }, () => null);
const table: (Uint8Array | null)[] = KNOWN_HEADERS.map((name) => (name === '' ? null : Buffer.from(name, 'latin1')));
KNOWN_HEADERS.forEach((name, id) => {
  if (name === '') return;
  const bucket = bucketOf(name.length, name.charCodeAt(0), name.charCodeAt(name.length - 1));
  buckets[bucket] = [...(buckets[bucket] ?? []), id];
});
// Lengths that occur: most unknown names end here.
const longest = Math.max(...KNOWN_HEADERS.map((name) => name.length));

function equalsIgnoringCase(bytes: Uint8Array, start: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) {
    const a = bytes[start + i] as number;
    const b = name[i] as number;
    // Names are letters, digits and '-'; `| 0x20` folds letters and leaves '-' and digits as they are, and turns CR into '-': tokens hold no CR.
    if ((a | 0x20) !== b) return false;
  }
  return true;
}

/** Id of the name in `bytes[start, end)`, in any case; 0 when it is none of the known ones. */
export function knownHeaderId(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length < 2 || length > longest) return 0;
  const ids = buckets[bucketOf(length, bytes[start] as number, bytes[end - 1] as number)] ?? null;
  if (ids === null) return 0;
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i] as number;
    const name = table[id] as Uint8Array;
    if (name.length === length && equalsIgnoringCase(bytes, start, name)) return id;
  }
  return 0;
}

/** Id of a name given as a string; 0 when unknown. */
export function knownHeaderIdOf(name: string): number {
  return idByName.get(name.toLowerCase()) ?? 0;
}
