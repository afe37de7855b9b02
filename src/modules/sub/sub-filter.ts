import type { BodyFilter, BodyFilterLink } from '../../http/body-filter.ts';
import type { HeaderBlock } from '../../http/header-block.ts';
import { lowerCase } from './lower-case.ts';

/** One text to look for, in lower case, and what stands in its place. */
export interface Substitution {
  readonly pattern: Buffer;
  /** Called once a response, when it is needed first. */
  readonly replacement: () => Buffer;
}

/** So much is gathered before it is passed on. */
const PIECE_BYTES = 16 * 1024;
const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Replaces texts in a body, whatever case they are in there, as nginx's sub filter does: the match that begins first counts, of two that begin at one place
 * the one configured first, and what was replaced is not looked at again.
 *
 * What may be the begin of a match is held back until more has come: always less than the longest pattern. At the end of the body it goes as it is.
 */
export class SubFilter implements BodyFilter {
  readonly #link: BodyFilterLink;
  readonly #isOnce: boolean;
  readonly #all: readonly Substitution[];
  /** Those that are still looked for, in the order of the configuration. */
  #active: Search[];
  #longest: number;
  /** End of what came before, perhaps the begin of a match. Our own bytes. */
  #held = NOTHING;
  /** What is being worked on; `#lower` is the same in lower case. Null: nothing. It may be the source's chunk: we say false while we have it. */
  #data: Buffer | null = null;
  #lower = NOTHING;
  #at = 0;
  #pieces: Buffer[] = [];
  #gatheredBytes = 0;
  #isBlocked = false;
  /** Undefined: the end has not come. */
  #end: HeaderBlock | null | undefined = undefined;
  #isFinished = false;

  constructor(link: BodyFilterLink, substitutions: readonly Substitution[], isOnce: boolean) {
    this.#link = link;
    this.#isOnce = isOnce;
    this.#all = substitutions;
    this.#active = substitutions.map(({ pattern }, order) => ({ pattern, order, foundAt: -1 }));
    this.#longest = longestOf(this.#active);
  }

  sendBody(chunk: Uint8Array): boolean {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    this.#data = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    this.#held = NOTHING;
    this.#lower = this.#active.length === 0 ? NOTHING : lowerCase(this.#data);
    this.#at = 0;
    for (const search of this.#active) search.foundAt = -1;
    this.#work();
    return !this.#isBlocked;
  }

  flush(): boolean {
    if (!this.#isBlocked) this.#isBlocked = !this.#link.flush();
    return !this.#isBlocked;
  }

  endBody(trailers: HeaderBlock | null): void {
    this.#end = trailers;
    this.#finish();
  }

  onWritable(): void {
    if (!this.#isBlocked) return;
    this.#isBlocked = false;
    this.#work();
    if (this.#isBlocked) return;
    if (this.#end === undefined) this.#link.resume();
    else this.#finish();
  }

  close(): void {
    this.#data = null;
    this.#lower = NOTHING;
    this.#held = NOTHING;
    this.#pieces = [];
    this.#active = [];
  }

  /** Goes on with the data until it is used up or nobody takes more. */
  #work(): void {
    const data = this.#data;
    if (data === null) return;
    for (;;) {
      const found = this.#next(data);
      if (found === null) break;
      this.#put(data.subarray(this.#at, found.foundAt));
      this.#put(this.#all[found.order]?.replacement() ?? NOTHING);
      this.#at = found.foundAt + found.pattern.length;
      if (this.#isOnce) this.#retire(found);
      if (this.#gatheredBytes >= PIECE_BYTES && !this.#pass()) return;
    }
    const cut = this.#partial(data)?.at ?? data.length;
    this.#put(data.subarray(this.#at, cut));
    if (cut < data.length) this.#held = Buffer.from(data.subarray(cut));
    this.#data = null;
    this.#pass();
  }

  /** The match that comes next for certain. */
  #next(data: Buffer): Search | null {
    let first: Search | null = null;
    for (const search of this.#active) {
      if (search.foundAt < this.#at) {
        const at = this.#lower.indexOf(search.pattern, this.#at);
        search.foundAt = at < 0 ? Number.POSITIVE_INFINITY : at;
      }
      if (search.foundAt < (first?.foundAt ?? Number.POSITIVE_INFINITY)) first = search;
    }
    if (first === null || first.foundAt <= data.length - this.#longest) return first;
    // Near the end something that is configured before it, or begins before it, may yet come.
    const partial = this.#partial(data);
    if (partial === null || first.foundAt < partial.at) return first;
    return first.foundAt === partial.at && first.order < partial.order ? first : null;
  }

  /** Where a match begins that the data ends within. */
  #partial({ length }: Buffer): { readonly at: number; readonly order: number } | null {
    for (let at = Math.max(this.#at, length - this.#longest + 1); at < length; at++) {
      for (const { pattern, order } of this.#active) {
        if (pattern[0] !== this.#lower[at] || pattern.length <= length - at) continue;
        if (this.#lower.compare(pattern, 0, length - at, at, length) === 0) return { at, order };
      }
    }
    return null;
  }

  #retire(found: Search): void {
    this.#active = this.#active.filter((search) => search !== found);
    this.#longest = longestOf(this.#active);
  }

  #put(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#pieces.push(piece);
    this.#gatheredBytes += piece.length;
  }

  #pass(): boolean {
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#gatheredBytes = 0;
    const [first] = pieces;
    if (first === undefined) return true;
    this.#isBlocked = !this.#link.sendBody(pieces.length === 1 ? first : Buffer.concat(pieces));
    return !this.#isBlocked;
  }

  /** Sends what was held back and the end, once all before it is sent. */
  #finish(): void {
    const [end, held] = [this.#end, this.#held];
    if (end === undefined || this.#data !== null || this.#isFinished) return;
    if (held.length > 0) {
      if (this.#isBlocked) return;
      this.#held = NOTHING;
      this.#link.sendBody(held);
    }
    this.#isFinished = true;
    this.#link.endBody(end);
  }
}

interface Search {
  readonly pattern: Buffer;
  /** Place in the configuration. */
  readonly order: number;
  /** Where it comes next in the data; below the present place: not looked for yet. */
  foundAt: number;
}

function longestOf(searches: readonly Search[]): number {
  return Math.max(0, ...searches.map(({ pattern }) => pattern.length));
}
