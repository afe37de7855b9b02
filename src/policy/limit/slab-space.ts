const PAGE_BYTES = 4096;
/** nginx's book-keeping: per page, and at the head of every zone (pool, slots, statistics). */
const PAGE_ENTRY_BYTES = 24;
const HEAD_BYTES = 704;
const MIN_SHIFT = 3;
/** Chunks of 64 bytes: a page's map of them fits into its entry. Smaller ones have it in the page itself. */
const EXACT_SHIFT = 6;
const MAX_SHIFT = 11;

/**
 * The room of a shared memory zone as nginx's slab allocator hands it out: chunks of powers of two, each size in pages of its own. So a zone
 * of so many bytes holds as many states here as there. Only counted: which chunk lies in which page is taken to be the best case.
 */
export class SlabSpace {
  #freePages: number;
  readonly #used = new Array<number>(MAX_SHIFT + 1).fill(0);
  readonly #pages = new Array<number>(MAX_SHIFT + 1).fill(0);

  constructor(zoneBytes: number) {
    const pages = Math.max(0, Math.floor((zoneBytes - HEAD_BYTES) / (PAGE_BYTES + PAGE_ENTRY_BYTES)));
    const start = Math.ceil((HEAD_BYTES + pages * PAGE_ENTRY_BYTES) / PAGE_BYTES) * PAGE_BYTES;
    this.#freePages = Math.max(0, Math.min(pages, Math.floor((zoneBytes - start) / PAGE_BYTES)));
  }

  /** False: no room, nothing was taken. */
  take(bytes: number): boolean {
    const shift = shiftOf(bytes);
    if (shift > MAX_SHIFT) {
      const pages = Math.ceil(bytes / PAGE_BYTES);
      if (pages > this.#freePages) return false;
      this.#freePages -= pages;
      return true;
    }
    const used = this.#used[shift] as number;
    const pages = this.#pages[shift] as number;
    if (used === pages * chunksPerPage(shift)) {
      if (this.#freePages === 0) return false;
      this.#freePages--;
      this.#pages[shift] = pages + 1;
    }
    this.#used[shift] = used + 1;
    return true;
  }

  /** Gives back what `take` gave for the same number of bytes. */
  give(bytes: number): void {
    const shift = shiftOf(bytes);
    if (shift > MAX_SHIFT) {
      this.#freePages += Math.ceil(bytes / PAGE_BYTES);
      return;
    }
    const used = (this.#used[shift] as number) - 1;
    const pages = this.#pages[shift] as number;
    this.#used[shift] = used;
    if (used > (pages - 1) * chunksPerPage(shift)) return;
    this.#pages[shift] = pages - 1;
    this.#freePages++;
  }
}

function shiftOf(bytes: number): number {
  return Math.max(MIN_SHIFT, 32 - Math.clz32(Math.max(bytes, 1) - 1));
}

function chunksPerPage(shift: number): number {
  const chunks = PAGE_BYTES >> shift;
  if (shift >= EXACT_SHIFT) return chunks;
  return chunks - Math.max(1, Math.floor(chunks / (8 << shift)));
}
