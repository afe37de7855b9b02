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
