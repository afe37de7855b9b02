import type { BodyFilter, BodyFilterLink } from '../../http/body-filter.ts';
import type { HeaderBlock } from '../../http/header-block.ts';
import type { Recoding } from './charset-map.ts';
import { decodeUtf8, INCOMPLETE, MALFORMED } from './decode-utf8.ts';

const UNKNOWN = Buffer.from('?');
const NOTHING: Uint8Array = new Uint8Array(0);

/** Writes a body in another charset. Characters of UTF-8 that are cut by chunks are put together again; one that the body ends in is lost. */
export class RecodeFilter implements BodyFilter {
  readonly #link: BodyFilterLink;
  readonly #recoding: Recoding;
  /** Begin of a character; at most three bytes. */
  #begun = NOTHING;
  #isBlocked = false;

  constructor(link: BodyFilterLink, recoding: Recoding) {
    this.#link = link;
    this.#recoding = recoding;
  }

  sendBody(chunk: Uint8Array): boolean {
    const bytes = this.#recode(chunk);
    if (bytes.length > 0) this.#isBlocked = !this.#link.sendBody(bytes);
    return !this.#isBlocked;
  }

  flush(): boolean {
    if (!this.#isBlocked) this.#isBlocked = !this.#link.flush();
    return !this.#isBlocked;
  }

  endBody(trailers: HeaderBlock | null): void {
    this.#link.endBody(trailers);
  }

  onWritable(): void {
    if (!this.#isBlocked) return;
    this.#isBlocked = false;
    this.#link.resume();
  }

  close(): void {
    this.#begun = NOTHING;
  }

  /** Our own bytes, or the chunk itself where nothing changes. */
  #recode(chunk: Uint8Array): Uint8Array {
    switch (this.#recoding.kind) {
      case 'bytes':
        return recodeBytes(chunk, this.#recoding.table);
      case 'to-utf8':
        return recodeToUtf8(chunk, this.#recoding.table);
      default: {
        if (this.#begun.length === 0 && chunk.every((byte) => byte < 0x80)) return chunk;
        const { bytes, rest } = recodeFromUtf8(Buffer.concat([this.#begun, chunk]), this.#recoding.table);
        this.#begun = rest;
        return bytes;
      }
    }
  }
}

function recodeBytes(chunk: Uint8Array, table: Uint8Array): Uint8Array {
  return chunk.map((byte) => table[byte] as number);
}

function recodeToUtf8(chunk: Uint8Array, table: readonly Buffer[]): Uint8Array {
  let length = 0;
  for (const byte of chunk) length += (table[byte] as Buffer).length;
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  for (const byte of chunk) {
    const other = table[byte] as Buffer;
    for (let i = 0; i < other.length; i++) bytes[at++] = other[i] as number;
  }
  return bytes;
}

function recodeFromUtf8(chunk: Uint8Array, table: Uint8Array): { readonly bytes: Buffer; readonly rest: Uint8Array } {
  const pieces: Uint8Array[] = [];
  const single = Buffer.allocUnsafe(chunk.length);
  let count = 0;
  let begin = 0;
  const close = (): void => {
    if (count > begin) pieces.push(single.subarray(begin, count));
    begin = count;
  };
  let at = 0;
  while (at < chunk.length) {
    const { character, end } = decodeUtf8(chunk, at);
    if (character === INCOMPLETE) break;
    at = end;
    const byte = character < 0x80 ? character : (table[character] ?? 0);
    if (character !== MALFORMED && (byte !== 0 || character < 0x80)) {
      single[count++] = byte;
      continue;
    }
    close();
    pieces.push(character === MALFORMED ? UNKNOWN : Buffer.from(`&#${character};`));
  }
  close();
  return { bytes: Buffer.concat(pieces), rest: Uint8Array.prototype.slice.call(chunk, at) };
}
