import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { admitRequest } from '../../../../src/policy/limit/admit-request.ts';
import { RequestStates } from '../../../../src/policy/limit/request-states.ts';
import { type Asked, CONNECTIONS, LimitSimulation, REQUESTS } from './limit-simulation.ts';

async function ask(all: LimitSimulation, worker: number, burst = 0): Promise<string> {
  const asked = all.request(worker, 'k', burst);
  all.settle();
  return (await asked).kind;
}

async function connect(all: LimitSimulation, worker: number, most = 2): Promise<Asked> {
  const asked = all.connection(worker, 'k', most);
  all.settle();
  return asked;
}

describe('requests', () => {
  test('the only worker sends no message', async () => {
    const all = new LimitSimulation(1);
    for (let i = 0; i < 10; i++) await ask(all, 0);
    await connect(all, 0);
    expect(all.messages).toBe(0);
  });

  test('what a turn asks goes out as one message, and is answered by one', async () => {
    const all = new LimitSimulation(2);
    const asked = Array.from({ length: 50 }, (_, i) => all.request(0, `k${i}`, 0));
    all.settle();
    await Promise.all(asked);
    expect(all.messages).toBe(2);
  });

  test('a known rejection is told without a message, with the excess of the moment', async () => {
    const all = new LimitSimulation(2);
    await ask(all, 0);
    await ask(all, 1);
    const before = all.messages;
    all.nowMs += 400;
    expect(await all.request(1, 'k', 0)).toMatchObject({ kind: 'rejected', excess: 600 });
    all.nowMs += 599;
    expect(await all.request(1, 'k', 0)).toMatchObject({ kind: 'rejected', excess: 1 });
    expect(all.messages).toBe(before);
    all.nowMs += 1;
    expect(await ask(all, 1)).toBe('passed');
    expect(await ask(all, 0)).toBe('rejected');
  });

  test('it is asked for again after a second, so that the state stays in use', async () => {
    const all = new LimitSimulation(2);
    for (let i = 0; i < 6; i++) await ask(all, 0, 5);
    expect(await ask(all, 0, 5)).toBe('rejected');
    const before = all.messages;
    all.nowMs += 100;
    await all.request(0, 'k', 1);
    expect(all.messages).toBe(before);
    all.nowMs += 900;
    expect(await ask(all, 0, 1)).toBe('rejected');
    expect(all.messages).toBeGreaterThan(before);
  });

  test('in any order and from any worker they are those of one zone', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({ worker: fc.nat(2), key: fc.constantFrom('a', 'b', 'c'), burst: fc.nat(3), wait: fc.nat(600) }),
          { maxLength: 60 },
        ),
        async (steps) => {
          const all = new LimitSimulation(3);
          const states = new RequestStates(REQUESTS);
          for (const { worker, key, burst, wait } of steps) {
            all.nowMs += wait;
            const asked = all.request(worker, key, burst);
            all.settle();
            const limit = { states, key, burst: burst * 1000, delay: burst * 1000 };
            const { kind } = await asked;
            expect(kind).toBe(admitRequest([limit], all.nowMs).kind);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  test('without a primary they pass after a while', async () => {
    const all = new LimitSimulation(2);
    all.killPrimary();
    const asked = [all.request(0, 'k', 0), all.request(0, 'k', 0), all.connection(0, 'k', 1)];
    all.settle();
    all.losePatience(); // what was asked since the last look waits for the next one
    all.losePatience();
    expect((await Promise.all(asked)).map((one) => one.kind)).toEqual(['passed', 'passed', 'passed']);
  });
});

describe('connections', () => {
  test('of a worker that died are given back', async () => {
    const all = new LimitSimulation(2);
    await connect(all, 0);
    await connect(all, 0);
    expect((await connect(all, 1)).kind).toBe('rejected');
    all.kill(0);
    expect((await connect(all, 1)).kind).toBe('passed');
    expect((await connect(all, 1)).kind).toBe('passed');
    expect((await connect(all, 1)).kind).toBe('rejected');
  });

  test('are never given back twice', async () => {
    const all = new LimitSimulation(2);
    const { zoned } = await connect(all, 0);
    await connect(all, 1);
    all.release(0, zoned);
    all.release(0, zoned);
    all.settle();
    expect((await connect(all, 0)).kind).toBe('passed');
    expect((await connect(all, 0)).kind).toBe('rejected');
  });

  test('a key without any takes no room', async () => {
    const all = new LimitSimulation(2);
    for (let i = 0; i < 2000; i++) {
      const asked = all.connection(0, `key ${i}`, 1);
      all.settle();
      const { kind, zoned } = await asked;
      expect(kind).toBe('passed');
      all.release(0, zoned);
    }
  });

  test('a zone that is full refuses', async () => {
    const all = new LimitSimulation(1);
    const kinds: string[] = [];
    for (let i = 0; i < 500; i++) kinds.push((await all.connection(0, `key ${i}`, 1)).kind);
    // 6 pages of 64, one place is the zone's own.
    expect(kinds.filter((kind) => kind === 'passed').length).toBe(6 * 64 - 1);
    expect(kinds.at(-1)).toBe('full');
  });
});

describe('more workers by a reload', () => {
  test('the one that was alone hands its states over', async () => {
    const all = new LimitSimulation(1);
    await ask(all, 0, 2);
    await ask(all, 0, 2);
    const { zoned } = await connect(all, 0);
    await connect(all, 0);
    all.reload(undefined, false);
    all.addWorker(1);
    all.settle();
    expect(await ask(all, 1, 2)).toBe('passed');
    expect(await ask(all, 1, 2)).toBe('rejected');
    expect((await connect(all, 1)).kind).toBe('rejected');
    all.release(0, zoned);
    all.settle();
    expect((await connect(all, 1)).kind).toBe('passed');
  });

  test('a zone of another size begins anew', async () => {
    const all = new LimitSimulation(2);
    await ask(all, 0);
    expect(await ask(all, 1)).toBe('rejected');
    all.reload([{ ...REQUESTS, id: 'limit_req r 65536', bytes: 65_536 }, CONNECTIONS]);
    expect(await ask(all, 1)).toBe('passed');
  });
});
