import { HeaderBlock } from './header-block.ts';

/** A block of its own with the same fields, hidden ones too: outlives the bytes that the first one points into. */
export function copyFields(block: HeaderBlock): HeaderBlock {
  const copy = new HeaderBlock();
  copy.reset(Buffer.from(block.bytes));
  for (let i = 0; i < block.count; i++) {
    const at = i * 4;
    const { offsets } = block;
    copy.add(
      offsets[at] as number,
      offsets[at + 1] as number,
      offsets[at + 2] as number,
      offsets[at + 3] as number,
      block.id(i),
    );
    copy.hidden[i] = block.hidden[i] as number;
  }
  return copy;
}
