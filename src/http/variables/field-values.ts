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
  if (id !== 0) return (block) => joined(block, (index) => block.ids[index] === id, separator);
  return (block) => joined(block, (index) => isNamedAs(block, index, variableName), separator);
}

function joined(block: HeaderBlock, isWanted: (index: number) => boolean, separator: string): string | null {
  let text: string | null = null;
  for (let i = 0; i < block.count; i++) {
    if (isWanted(i)) text = text === null ? block.value(i) : text + separator + block.value(i);
  }
  return text;
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
