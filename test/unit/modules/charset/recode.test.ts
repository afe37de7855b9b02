import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BodyFilterLink } from '../../../../src/http/body-filter.ts';
import type { Recoding } from '../../../../src/modules/charset/charset-map.ts';
import { decodeUtf8, INCOMPLETE, MALFORMED } from '../../../../src/modules/charset/decode-utf8.ts';
import { RecodeFilter } from '../../../../src/modules/charset/recode-filter.ts';

const back = new Uint8Array(65_536);
back[0x0430] = 0xc1; // а
back[0x20ac] = 0x80; // €
const FROM_UTF8: Recoding = { kind: 'from-utf8', table: back };
const TO_UTF8: Recoding = {
  kind: 'to-utf8',
  table: Array.from({ length: 256 }, (_, byte) =>
    Buffer.from(byte < 0x80 ? [byte] : byte === 0xc1 ? 'а' : byte === 0x80 ? '€' : '?'),
  ),
};
const BYTES: Recoding = { kind: 'bytes', table: Uint8Array.from({ length: 256 }, (_, byte) => 255 - byte) };

function run(recoding: Recoding, chunks: readonly Uint8Array[]): Buffer {
  const pieces: Buffer[] = [];
  const link: BodyFilterLink = {
    sendBody: (chunk) => pieces.push(Buffer.from(chunk)) > 0,
    flush: () => true,
    endBody: () => undefined,
    resume: () => undefined,
    fail: () => undefined,
  };
  const filter = new RecodeFilter(link, recoding);
  for (const chunk of chunks) filter.sendBody(chunk);
  filter.endBody(null);
  filter.close();
  expect(pieces.every((piece) => piece.length > 0)).toBe(true);
  return Buffer.concat(pieces);
}

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.string({ unit: fc.constantFrom('a', 'а', '€', '\u{1f600}', 'é'), maxLength: 20 }).map((text) => Buffer.from(text)),
);
const cut = (whole: Uint8Array, places: readonly number[]): Uint8Array[] => {
  const at = [...new Set(places.map((n) => n % (whole.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, i) => whole.subarray(from, at[i] ?? whole.length));
};

describe('recoding', () => {
  test.each([
    ['bytes', BYTES],
    ['to UTF-8', TO_UTF8],
    ['from UTF-8', FROM_UTF8],
  ] as const)('%s: any chunking gives the same', (_name, recoding) => {
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(), { maxLength: 10 }), (whole, places) => {
        expect(run(recoding, cut(whole, places))).toEqual(run(recoding, [whole]));
      }),
      { numRuns: 2000 },
    );
  });

  test('from UTF-8: known, unknown, beyond, malformed, unfinished', () => {
    const text = Buffer.concat([Buffer.from('x€аé\u{1f600}'), Buffer.from([0xff, 0x79, 0xe2, 0x82])]);
    expect(run(FROM_UTF8, [text]).toString('latin1')).toBe('x\x80\xc1&#233;&#128512;?y');
  });

  test('to UTF-8: known and unknown', () => {
    expect(run(TO_UTF8, [Buffer.from('x\x80\xc1\xc2y', 'latin1')]).toString()).toBe('x€а?y');
  });

  test('what is ASCII alone passes uncopied', () => {
    const chunk = Buffer.from('plain');
    let seen: Uint8Array | undefined;
    const link = {
      sendBody: (piece: Uint8Array) => {
        seen = piece;
        return true;
      },
    } as BodyFilterLink;
    new RecodeFilter(link, FROM_UTF8).sendBody(chunk);
    expect(seen).toBe(chunk);
  });
});

describe('decodeUtf8', () => {
  test('reads every character', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0x10_ffff }), (character) => {
        if (character >= 0xd800 && character < 0xe000) return;
        const text = Buffer.from(String.fromCodePoint(character));
        expect(decodeUtf8(text, 0)).toEqual({ character, end: text.length });
        for (let length = 1; length < text.length; length++) {
          expect(decodeUtf8(text.subarray(0, length), 0)).toEqual({ character: INCOMPLETE, end: 0 });
        }
      }),
    );
  });

  test.each([
    ['80', 1],
    ['c0af', 1],
    ['e08080', 3],
    ['f0808080', 4],
    ['f5808080', 4],
    ['ff', 1],
    ['c341', 2],
    ['e28241', 3],
  ])('%s is none', (hex, end) => {
    expect(decodeUtf8(Buffer.from(hex, 'hex'), 0)).toEqual({ character: MALFORMED, end });
  });
});
