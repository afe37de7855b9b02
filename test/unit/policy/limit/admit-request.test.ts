import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { admitRequest, type RequestVerdict } from '../../../../src/policy/limit/admit-request.ts';
import { RequestStates } from '../../../../src/policy/limit/request-states.ts';

const T = 1_000_000;

function zone(rateMilliPerSec: number, bytes = 1 << 20): RequestStates {
  return new RequestStates({ name: 'z', bytes, rateMilliPerSec });
}

/** A verdict as text: `passed`, `delayed 1.000 500ms`, `rejected 2.000 by 1`. */
function text({ kind, by, excess, delayMs }: RequestVerdict): string {
  const number = (excess / 1000).toFixed(3);
  if (kind === 'delayed') return `delayed ${number} ${delayMs}ms by ${by}`;
  return kind === 'rejected' ? `rejected ${number} by ${by}` : kind;
}

/** Requests of one key at these instants. */
function play(rate: number, burst: number, delay: number, atMs: readonly number[]): string[] {
  const states = zone(rate);
  return atMs.map((ms) => text(admitRequest([{ states, key: 'k', burst: burst * 1000, delay: delay * 1000 }], T + ms)));
}

describe('one limit', () => {
  test.each<[string, number, number, number, readonly number[], readonly string[]]>([
    ['the first passes, the next at once is too many', 1000, 0, 0, [0, 0], ['passed', 'rejected 1.000 by 0']],
    ['the excess leaks away', 1000, 0, 0, [0, 999, 1000], ['passed', 'rejected 0.001 by 0', 'passed']],
    [
      'a refused one does not count',
      1000,
      0,
      0,
      [0, 500, 900, 1000],
      ['passed', 'rejected 0.500 by 0', 'rejected 0.100 by 0', 'passed'],
    ],
    [
      'a burst waits',
      1000,
      2,
      0,
      [0, 0, 0, 0],
      ['passed', 'delayed 1.000 1000ms by 0', 'delayed 2.000 2000ms by 0', 'rejected 3.000 by 0'],
    ],
    [
      'delay= lets the first of a burst pass',
      1000,
      3,
      1,
      [0, 0, 0, 0, 0],
      ['passed', 'passed', 'delayed 2.000 1000ms by 0', 'delayed 3.000 2000ms by 0', 'rejected 4.000 by 0'],
    ],
    [
      'nodelay',
      1000,
      2,
      Number.MAX_SAFE_INTEGER / 1000,
      [0, 0, 0, 0],
      ['passed', 'passed', 'passed', 'rejected 3.000 by 0'],
    ],
    [
      '30r/m: half a request in a second',
      500,
      1,
      0,
      [0, 0, 1000, 2000],
      ['passed', 'delayed 1.000 2000ms by 0', 'rejected 1.500 by 0', 'delayed 1.000 2000ms by 0'],
    ],
    [
      '1r/m is 16 milli-requests in a second',
      16,
      0,
      0,
      [0, 1000, 60_000, 62_500],
      ['passed', 'rejected 0.984 by 0', 'rejected 0.040 by 0', 'passed'],
    ],
    ['a step back in time leaks nothing', 1000, 5, 5, [0, 10, 5, 5], ['passed', 'passed', 'passed', 'passed']],
    [
      'far back in time: the clock was set, a millisecond counts',
      1000,
      0,
      0,
      [0, -61_000],
      ['passed', 'rejected 0.999 by 0'],
    ],
  ])('%s', (_what, rate, burst, delay, atMs, expected) => {
    expect(play(rate, burst, delay, atMs)).toEqual(expected);
  });

  test('keys do not know of each other', () => {
    const states = zone(1000);
    const one = (key: string): string => admitRequest([{ states, key, burst: 0, delay: 0 }], T).kind;
    expect([one('a'), one('b'), one('a'), one('b')]).toEqual(['passed', 'passed', 'rejected', 'rejected']);
  });
});

describe('several limits', () => {
  test('the first that is exceeded refuses, and none counts the request', () => {
    const [slow, fast] = [zone(1000), zone(10_000)];
    const ask = (slowKey: string, fastKey: string): string =>
      text(
        admitRequest(
          [
            { states: fast, key: fastKey, burst: 0, delay: 0 },
            { states: slow, key: slowKey, burst: 0, delay: 0 },
          ],
          T,
        ),
      );
    expect(ask('a', 'x')).toBe('passed');
    expect(ask('a', 'y')).toBe('rejected 1.000 by 1');
    expect(ask('b', 'y')).toBe('passed'); // y was not counted the first time
    expect(ask('c', 'x')).toBe('rejected 1.000 by 0');
  });

  test('the longest delay holds, and its limit is told', () => {
    const [slow, fast] = [zone(1000), zone(10_000)];
    const limits = [
      { states: slow, key: 'k', burst: 9000, delay: 0 },
      { states: fast, key: 'k', burst: 9000, delay: 0 },
    ];
    expect([0, 0].map(() => text(admitRequest(limits, T)))).toEqual(['passed', 'delayed 1.000 1000ms by 0']);
    expect(text(admitRequest(limits.toReversed(), T))).toBe('delayed 2.000 2000ms by 1');
  });

  test('of equal delays the later limit is told', () => {
    const limits = [zone(1000), zone(1000)].map((states) => ({ states, key: 'k', burst: 9000, delay: 0 }));
    expect([0, 0].map(() => text(admitRequest(limits, T)))).toEqual(['passed', 'delayed 1.000 1000ms by 1']);
  });
});

describe('a full zone', () => {
  /** 32k: 7 pages, one of them for the zone's name, 32 states of 128 bytes in a page, one place taken by the zone itself. */
  const STATES = 6 * 32 - 1;
  const ask = (states: RequestStates, key: string, ms = 0): string =>
    admitRequest([{ states, key, burst: 0, delay: 0 }], T + ms).kind;

  test('drops the least recently used', () => {
    const states = zone(16, 32 * 1024);
    for (let i = 0; i < STATES; i++) expect(ask(states, `k${i}`)).toBe('passed');
    expect(states.size).toBe(STATES);
    expect(ask(states, 'k0')).toBe('rejected'); // and is the newest now
    expect(ask(states, 'new')).toBe('passed');
    expect(states.size).toBe(STATES);
    expect(ask(states, 'k2')).toBe('rejected');
    expect(ask(states, 'k0')).toBe('rejected');
    expect(ask(states, 'k1')).toBe('passed'); // it was dropped
  });

  test('drops up to two that are idle with every new one', () => {
    const states = zone(1000, 32 * 1024);
    for (let i = 0; i < 10; i++) ask(states, `k${i}`);
    ask(states, 'a', 59_999);
    expect(states.size).toBe(11);
    ask(states, 'b', 60_000);
    expect(states.size).toBe(10);
  });

  test('has no room for a key larger than what goes', () => {
    const states = zone(16, 32 * 1024);
    for (let i = 0; i < STATES; i++) ask(states, `k${i}`);
    expect(ask(states, 'x'.repeat(3000))).toBe('full');
    expect(ask(states, 'k190')).toBe('rejected');
  });

  test('stays within its bounds whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(400), fc.nat(100_000)), { maxLength: 600 }), (asked) => {
        const states = zone(16, 32 * 1024);
        let ms = 0;
        for (const [key, wait] of asked) ask(states, `key ${key}`, (ms += wait % 7 === 0 ? wait : 1));
        expect(states.size).toBeLessThanOrEqual(STATES);
        expect([...states].length).toBe(states.size);
      }),
      { numRuns: 50 },
    );
  });
});
