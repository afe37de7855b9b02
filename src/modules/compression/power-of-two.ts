import type { DirectiveUse } from '../../config/directive-spec.ts';
import { sizeBytes, type ValueParser } from '../../config/values.ts';

/** A size that is a power of two, from 2^`min` to 2^`max` bytes: its logarithm. Anything else is refused with `complaint`. */
export function powerOfTwo(
  range: { readonly min: number; readonly max: number },
  complaint: string,
): ValueParser<number> {
  const parse = sizeBytes();
  return (use: DirectiveUse) => {
    const bits = Math.log2(parse(use));
    const isGood = Number.isInteger(bits) && bits >= range.min && bits <= range.max;
    return isGood ? bits : use.fail(`"${use.name}" directive ${complaint}`);
  };
}
