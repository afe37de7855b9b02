import { expect, it } from 'vitest';
import { writeText } from '../../../src/h1/byte-writer.ts';
import { type OutOwner, out } from '../../../src/h1/out-buffer.ts';
import type { Wire } from '../../../src/net/wire.ts';
import { BATCHED, type BatchedWire, writeBatch } from '../../../src/net/write-batch.ts';

/** A wire whose chunk goes out with the batch; `isBehind`: the kernel keeps looking at the bytes. */
class LateWire implements BatchedWire, OutOwner {
  view: Uint8Array | null = null;
  isBehind = false;
  gather(text: string): void {
    out.claimWhole(this, text.length);
    out.length = writeText(out.bytes, out.length, text);
    this.flushOut();
  }
  flushOut(): void {
    if (out.owner !== this) return;
    const writeSoon = (chunk: Uint8Array) => {
      this.view = chunk;
      writeBatch.add(this);
      return BATCHED;
    };
    out.writeTo({ writeSoon } as unknown as Wire);
  }
  writeBatched(): boolean {
    return !this.isBehind;
  }
  get text(): string {
    return Buffer.from(this.view ?? []).toString('latin1');
  }
}

it('bytes that the kernel has not taken are never written over, however many batches follow', () => {
  const [slow, quick] = [new LateWire(), new LateWire()];
  slow.isBehind = true;
  slow.gather('one client’s answer'.replace('’', "'"));
  // Something is added while the batch is flushed: the slab can't start over then.
  const late = new LateWire();
  quick.writeBatched = () => {
    if (late.view === null) late.gather('late');
    return true;
  };
  quick.gather('quick');
  writeBatch.flush();
  writeBatch.flush();
  for (let i = 0; i < 50; i++) {
    new LateWire().gather(`request number ${i} of somebody else`);
    writeBatch.flush();
  }
  expect(slow.text).toBe("one client's answer");
});

it('starts over in the same slab when everything was taken', () => {
  writeBatch.flush();
  const before = new LateWire();
  before.gather('first');
  writeBatch.flush();
  const { bytes } = out;
  const after = new LateWire();
  after.gather('second');
  expect(out.bytes).toBe(bytes);
  expect(after.view?.byteOffset).toBe(before.view?.byteOffset);
  writeBatch.flush();
});

const LARGE = 'x'.repeat(20_000);

/** More than one slab holds, in one batch. */
function fill(mark: string): LateWire[] {
  return Array.from({ length: 40 }, (_, i) => {
    const wire = new LateWire();
    wire.gather(`${mark}${i} ${LARGE}`);
    return wire;
  });
}

it('uses the slabs that a batch has filled again, once the kernel has all of it', () => {
  writeBatch.flush();
  const before = fill('a');
  expect(before.map(({ text }, i) => text.startsWith(`a${i} `))).not.toContain(false);
  const slabs = new Set(before.map(({ view }) => view?.buffer));
  expect(slabs.size).toBeGreaterThan(1);
  writeBatch.flush();
  const after = fill('b');
  for (const { view } of after) expect(slabs.has(view?.buffer)).toBe(true);
  writeBatch.flush();
});

it('never one with a write that is not through, in whichever slab of the batch it lies', () => {
  for (const at of [0, 20, 39]) {
    writeBatch.flush();
    const wires = fill('slow');
    const slow = wires[at] as LateWire;
    slow.isBehind = true;
    const { text } = slow;
    writeBatch.flush();
    for (let i = 0; i < 3; i++) {
      fill('others');
      writeBatch.flush();
    }
    expect(slow.text).toBe(text);
  }
});
