import { describe, expect, test } from 'vitest';
import type { ZonedKey } from '../../src/modules/limit-zone/limit-message.ts';
import { LimitSimulation } from '../unit/modules/limits/limit-simulation.ts';

/**
 * What every limiter keeps to, whoever decides: the only worker by itself, or the primary for several. `take` asks for one more of a key;
 * what it gives back ends it.
 */
interface Limiter {
  readonly name: string;
  /** How many of one key are let in at one instant. */
  readonly most: number;
  /** Something that was let in comes to its end. */
  readonly canEnd: boolean;
}

const LIMITERS: readonly Limiter[] = [
  { name: 'limit_req', most: 6, canEnd: false },
  { name: 'limit_conn', most: 6, canEnd: true },
];

describe.each(LIMITERS)('$name', ({ name, most, canEnd }) => {
  describe.each([1, 2, 4])('over %i workers', (workers) => {
    const simulation = (): LimitSimulation => new LimitSimulation(workers);

    /** Asks once in that worker; the verdict when all messages have arrived. */
    async function take(
      all: LimitSimulation,
      worker: number,
      key: string,
    ): Promise<{ kind: string; zoned: ZonedKey[] }> {
      const asked = name === 'limit_req' ? all.request(worker, key, most - 1) : all.connection(worker, key, most);
      all.settle();
      return asked;
    }

    test('lets in exactly as many as it says, whichever workers ask', async () => {
      const all = simulation();
      const kinds: string[] = [];
      for (let i = 0; i < 20; i++) kinds.push((await take(all, i % workers, 'k')).kind);
      expect(kinds.filter((kind) => kind === 'passed').length).toBe(most);
      expect(kinds.slice(most).every((kind) => kind === 'rejected')).toBe(true);
    });

    test('asked by all at the same time all the same', async () => {
      const all = simulation();
      const asked = Array.from({ length: 20 }, (_, i) =>
        name === 'limit_req' ? all.request(i % workers, 'k', most - 1) : all.connection(i % workers, 'k', most),
      );
      all.settle();
      const kinds = (await Promise.all(asked)).map((one) => one.kind);
      expect(kinds.filter((kind) => kind === 'passed').length).toBe(most);
    });

    test('keys do not know of each other', async () => {
      const all = simulation();
      for (let i = 0; i < most; i++) await take(all, i % workers, 'a');
      expect((await take(all, 0, 'a')).kind).toBe('rejected');
      expect((await take(all, 0, 'b')).kind).toBe('passed');
    });

    test('any bytes are a key', async () => {
      const all = simulation();
      for (const key of ['\0', '\xff\x80', '"', '\n', 'ä', '\0\0'])
        expect((await take(all, 0, key)).kind).toBe('passed');
    });

    test('room comes back', async () => {
      const all = simulation();
      const taken: ZonedKey[][] = [];
      for (let i = 0; i < most; i++) taken.push((await take(all, i % workers, 'k')).zoned);
      expect((await take(all, 0, 'k')).kind).toBe('rejected');
      if (canEnd) all.release(0, taken[0] ?? []);
      else all.nowMs += 1000;
      all.settle();
      expect((await take(all, workers - 1, 'k')).kind).toBe('passed');
      expect((await take(all, 0, 'k')).kind).toBe('rejected');
    });

    test('a reload with the same zones forgets nothing', async () => {
      const all = simulation();
      for (let i = 0; i < most; i++) await take(all, i % workers, 'k');
      all.reload();
      expect((await take(all, 0, 'k')).kind).toBe('rejected');
    });

    test('a zone that is not there limits nothing', async () => {
      const all = simulation();
      all.reload([]);
      for (let i = 0; i < most * 2; i++) expect((await take(all, i % workers, 'k')).kind).toBe('passed');
    });
  });
});
