/** IPv4 addresses from `start` to `end`, within one block. */
interface Range {
  start: number;
  end: number;
  value: string;
}

/** What became of a range in one of the blocks that it touches. */
export type RangeResult =
  | { readonly kind: 'added' }
  /** Just this range was there. */
  | { readonly kind: 'replaced'; readonly old: string }
  /** It neither lies within the one that is there nor beside it. */
  | { readonly kind: 'overlap'; readonly start: number; readonly end: number };

const BLOCK_BITS = 16;
const BLOCK_MASK = 0xffff;
const ADDED: RangeResult = { kind: 'added' };

/**
 * Values by ranges of IPv4 addresses (as unsigned numbers), kept in blocks of 65536 addresses as nginx keeps them: its findings speak of
 * them. Within a block the ranges are in order and apart; one that lies inside another cuts it.
 */
export class RangeTable {
  readonly #blocks = new Map<number, Range[]>();

  /** Ends with the first overlap. */
  add(start: number, end: number, value: string): readonly RangeResult[] {
    const results: RangeResult[] = [];
    for (const { block, from, to } of blocksOf(start, end)) {
      const ranges = this.#blocks.get(block) ?? [];
      this.#blocks.set(block, ranges);
      const result = insert(ranges, { start: from, end: to, value });
      results.push(result);
      if (result.kind === 'overlap') break;
    }
    return results;
  }

  /** False: in some block there was no such range. */
  delete(start: number, end: number): boolean {
    let wasThere = true;
    for (const { block, from, to } of blocksOf(start, end)) {
      const ranges = this.#blocks.get(block) ?? [];
      const at = ranges.findIndex((range) => range.start === from && range.end === to);
      if (at < 0) wasThere = false;
      else ranges.splice(at, 1);
    }
    return wasThere;
  }

  /** Null: in no range. */
  find(address: number): string | null {
    const ranges = this.#blocks.get(address >>> BLOCK_BITS);
    if (ranges === undefined) return null;
    let low = 0;
    let high = ranges.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const range = ranges[middle] as Range;
      if (address < range.start) high = middle - 1;
      else if (address > range.end) low = middle + 1;
      else return range.value;
    }
    return null;
  }
}

function* blocksOf(start: number, end: number): Generator<{ block: number; from: number; to: number }> {
  for (let block = start >>> BLOCK_BITS; block <= end >>> BLOCK_BITS; block++) {
    const first = (block << BLOCK_BITS) >>> 0;
    yield { block, from: Math.max(start, first), to: Math.min(end, (first | BLOCK_MASK) >>> 0) };
  }
}

function insert(ranges: Range[], added: Range): RangeResult {
  const { start, end } = added;
  for (let i = ranges.length - 1; i >= 0; i--) {
    const range = ranges[i] as Range;
    if (end < range.start) continue;
    if (start > range.end) {
      ranges.splice(i + 1, 0, added);
      return ADDED;
    }
    if (start === range.start && end === range.end) {
      const old = range.value;
      range.value = added.value;
      return { kind: 'replaced', old };
    }
    if (start < range.start || end > range.end) return { kind: 'overlap', start: range.start, end: range.end };
    const parts = [{ ...range, end: start - 1 }, added, { ...range, start: end + 1 }].filter(
      (part) => part.start <= part.end,
    );
    ranges.splice(i, 1, ...parts);
    return ADDED;
  }
  ranges.unshift(added);
  return ADDED;
}
