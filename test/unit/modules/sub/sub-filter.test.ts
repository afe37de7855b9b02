import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BodyFilterLink } from '../../../../src/http/body-filter.ts';
import { lowerCase } from '../../../../src/modules/sub/lower-case.ts';
import { SubFilter } from '../../../../src/modules/sub/sub-filter.ts';

interface Pair {
  readonly find: string;
  readonly put: string;
}

/** The next one in the chain: takes `room` pieces, then says false until it is asked to go on. What it said false to is looked at only then. */
class Target {
  body = '';
  ends = 0;
  largest = 0;
  resumed = 0;
  isFull = false;
  #room: number;
  #waiting: Uint8Array | null = null;

  constructor(room: number) {
    this.#room = room;
  }

  readonly link: BodyFilterLink = {
    sendBody: (chunk) => {
      if (this.isFull) throw new Error('bytes out of turn');
      if (chunk.length === 0) throw new Error('an empty piece');
      this.largest = Math.max(this.largest, chunk.length);
      if (this.#room-- > 0) {
        this.body += Buffer.from(chunk).toString('latin1');
        return true;
      }
      this.#waiting = chunk;
      this.isFull = true;
      return false;
    },
    flush: () => true,
    endBody: () => void this.ends++,
    resume: () => void this.resumed++,
    fail: () => undefined,
  };

  take(room: number): void {
    if (this.#waiting !== null) this.body += Buffer.from(this.#waiting).toString('latin1');
    this.#waiting = null;
    this.isFull = false;
    this.#room = room;
  }
}

function filter(pairs: readonly Pair[], isOnce: boolean, room = Number.POSITIVE_INFINITY) {
  const target = new Target(room);
  const substitutions = pairs.map(({ find, put }) => ({
    pattern: lowerCase(Buffer.from(find, 'latin1')),
    replacement: () => Buffer.from(put, 'latin1'),
  }));
  return { target, filter: new SubFilter(target.link, substitutions, isOnce) };
}

/** All chunks through, to a target that is full after every `room` pieces. */
function run(pairs: readonly Pair[], isOnce: boolean, chunks: readonly string[], room?: number): string {
  const made = filter(pairs, isOnce, room);
  const { target } = made;
  const drain = () => {
    while (target.isFull) {
      target.take(room ?? 0);
      made.filter.onWritable();
    }
  };
  for (const chunk of chunks) {
    const bytes = Buffer.from(chunk, 'latin1');
    if (!made.filter.sendBody(bytes)) {
      const { resumed } = target;
      drain();
      expect(target.resumed).toBe(resumed + 1);
    }
    // It is the source's again.
    bytes.fill('#');
  }
  made.filter.endBody(null);
  drain();
  made.filter.close();
  expect(target.ends).toBe(1);
  return target.body;
}

/** nginx's rules on the whole text, without any cleverness. */
function replaced(pairs: readonly Pair[], isOnce: boolean, text: string): string {
  const lower = (of: string) => of.replace(/[A-Z]/g, (c) => c.toLowerCase());
  const active = new Set(pairs);
  let result = '';
  let at = 0;
  next: while (at < text.length) {
    const rest = lower(text.slice(at));
    for (const pair of pairs) {
      if (!active.has(pair)) continue;
      const find = lower(pair.find);
      if (rest.startsWith(find)) {
        result += pair.put;
        at += find.length;
        if (isOnce) active.delete(pair);
        continue next;
      }
      // Perhaps there would have been more: as it is.
      if (find.startsWith(rest)) return result + text.slice(at);
    }
    result += text[at++];
  }
  return result;
}

const cut = (text: string, at: readonly number[]): string[] => {
  const places = [...new Set(at.map((n) => n % (text.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, i) => text.slice(from, places[i] ?? text.length)).filter((chunk) => chunk !== '');
};

const letters = (maxLength: number, minLength = 0) =>
  fc.string({ unit: fc.constantFrom('a', 'b', 'A', 'B', '\xe9'), minLength, maxLength });
const pairsOf = fc.array(fc.record({ find: letters(5, 1), put: letters(3) }), { minLength: 1, maxLength: 4 });

describe('sub_filter', () => {
  test('any chunking and any client give what nginx’s rules give on the whole', () => {
    fc.assert(
      fc.property(
        pairsOf,
        letters(60),
        fc.array(fc.nat(), { maxLength: 20 }),
        fc.boolean(),
        fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
        (pairs, text, places, isOnce, room) => {
          expect(run(pairs, isOnce, cut(text, places), room)).toBe(replaced(pairs, isOnce, text));
        },
      ),
      { numRuns: 5000 },
    );
  });

  test.each([
    [
      'the first that begins',
      [
        { find: 'bcd', put: '1' },
        { find: 'abc', put: '2' },
      ],
      'abcd',
      '2d',
    ],
    [
      'of two that begin at one place, the first configured',
      [
        { find: 'ab', put: '1' },
        { find: 'abc', put: '2' },
      ],
      'abc',
      '1c',
    ],
    [
      'the longer one when it is configured first',
      [
        { find: 'abc', put: '2' },
        { find: 'ab', put: '1' },
      ],
      'abc',
      '2',
    ],
    ['any case', [{ find: 'StRing', put: 'x' }], 'a STRinG', 'a x'],
    ['no case beyond ASCII', [{ find: '\xc9', put: 'x' }], '\xc9\xe9', 'x\xe9'],
    ['what was put in is not looked at', [{ find: 'a', put: 'aa' }], 'aba', 'aabaa'],
    ['an empty replacement', [{ find: 'a', put: '' }], 'aba', 'b'],
    ['nothing is left', [{ find: 'a', put: '' }], 'aaa', ''],
  ])('%s', (_title, pairs, text, expected) => {
    expect(run(pairs, false, [text])).toBe(expected);
    expect(run(pairs, false, [...text])).toBe(expected);
  });

  test('once: each string once', () => {
    const pairs = [
      { find: 'a', put: '1' },
      { find: 'b', put: '2' },
    ];
    expect(run(pairs, true, ['aab', 'bab'])).toBe('1a2bab');
  });

  test('a chunk without a match passes uncopied', () => {
    const { target, filter: sub } = filter([{ find: 'xyz', put: '' }], false);
    const chunk = Buffer.from('no match here');
    let seen: Uint8Array | undefined;
    const { sendBody } = target.link;
    Object.assign(target.link, { sendBody: (piece: Uint8Array) => sendBody((seen = piece)) });
    sub.sendBody(chunk);
    expect(seen?.buffer).toBe(chunk.buffer);
    expect(seen?.byteOffset).toBe(chunk.byteOffset);
  });

  test('holds back less than the longest string', () => {
    const find = `${'a'.repeat(99)}b`;
    const { target, filter: sub } = filter([{ find, put: 'x' }], false);
    for (let i = 0; i < 50; i++) {
      sub.sendBody(Buffer.from('a'.repeat(37)));
      expect((i + 1) * 37 - target.body.length).toBeLessThan(100);
    }
  });

  test('large replacements go out in pieces, as fast as they are taken', () => {
    const put = 'y'.repeat(10_000);
    const { target, filter: sub } = filter([{ find: 'x', put }], false, 0);
    expect(sub.sendBody(Buffer.from('x'.repeat(1000)))).toBe(false);
    expect(target.largest).toBeLessThan(30_000);
    while (target.isFull) {
      target.take(0);
      sub.onWritable();
    }
    expect(target.body.length).toBe(10_000_000);
    expect(target.largest).toBeLessThan(30_000);
  });
});
