import type { HeaderBlock } from '../header-block.ts';
import { knownHeaderIdOf } from '../known-header.ts';

/** Reads the values of the fields that a variable names. */
export type FieldReader = (block: HeaderBlock) => string | null;

const HYPHEN = 0x2d;
const UNDERSCORE = 0x5f;

/**
 * Reader for the rest of `$http_x_real_ip`: `x_real_ip`. In a field's name `-` counts as `_`, case does not count.
 * Several fields are joined as nginx does since 1.23.0: by `, `, cookies by `; `. Null: there is none.
 */
export function fieldReader(variableName: string): FieldReader {
  const separator = variableName === 'cookie' ? '; ' : ', ';
  const id = knownHeaderIdOf(variableName.replaceAll('_', '-'));
  const next: NextField =
    id !== 0 ? (block, from) => nextKnown(block, from, id) : (block, from) => nextNamed(block, from, variableName);
  return (block) => {
    const first = next(block, 0);
    if (first < 0) return null;
    let text = block.value(first);
    for (let i = next(block, first + 1); i >= 0; i = next(block, i + 1)) text += separator + block.value(i);
    return text;
  };
}

/** Index of the next wanted field at or after `from`; -1 when there is none. */
type NextField = (block: HeaderBlock, from: number) => number;

function nextKnown(block: HeaderBlock, from: number, id: number): number {
  const ids = block.ids;
  for (let i = from; i < block.count; i++) if (ids[i] === id) return i;
  return -1;
}

function nextNamed(block: HeaderBlock, from: number, variableName: string): number {
  for (let i = from; i < block.count; i++) if (isNamedAs(block, i, variableName)) return i;
  return -1;
}

/** Does field `index` bear the name, with `-` as `_`? `variableName` is lower case. */
function isNamedAs(block: HeaderBlock, index: number, variableName: string): boolean {
  const start = block.offsets[index * 4] as number;
  const end = block.offsets[index * 4 + 1] as number;
  if (end - start !== variableName.length) return false;
  const bytes = block.bytes;
  for (let i = 0; i < variableName.length; i++) {
    let c = bytes[start + i] as number;
    if (c >= 0x41 && c <= 0x5a) c |= 0x20;
    else if (c === HYPHEN) c = UNDERSCORE;
    if (c !== variableName.charCodeAt(i)) return false;
  }
  return true;
}
