import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { PickQueue, type QueuedRequest } from '../../../src/upstream/pick-queue.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A queue in front of so many free peers, and what became of each request. */
function start(max: number, timeoutMs: number) {
  const queue = new PickQueue(max, timeoutMs, Date.now);
  const peers = { free: 0 };
  const said: string[] = [];
  const enter = (name: string) => {
    const request: QueuedRequest = {
      onTurn: () => {
        if (peers.free === 0) return false;
        peers.free--;
        said.push(`${name} served`);
        return true;
      },
      onQueueTimeout: () => said.push(`${name} timed out`),
    };
    return queue.enter(request, Date.now());
  };
  return { queue, peers, said, enter };
}

describe('requests that wait for a peer', () => {
  test('first come, first served, behind the release that frees a peer', async () => {
    const { queue, peers, said, enter } = start(3, 60_000);
    for (const name of 'abc') enter(name);
    peers.free = 2;
    queue.wake();
    queue.wake();
    expect(said).toEqual([]);
    await Promise.resolve();
    expect(said).toEqual(['a served', 'b served']);
    expect(queue.size).toBe(1);
  });

  test('a peer that comes free elsewhere is found soon', async () => {
    const { queue, peers, said, enter } = start(3, 60_000);
    enter('a');
    peers.free = 1;
    await vi.advanceTimersByTimeAsync(50);
    expect(said).toEqual(['a served']);
    expect(queue.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('only so many, and only so long', async () => {
    const { queue, said, enter } = start(2, 1000);
    enter('a');
    await vi.advanceTimersByTimeAsync(600);
    enter('b');
    expect(enter('c')).toBeNull();
    expect(queue.overflows).toBe(1);
    await vi.advanceTimersByTimeAsync(500);
    expect(said).toEqual(['a timed out']);
    await vi.advanceTimersByTimeAsync(600);
    expect(said).toEqual(['a timed out', 'b timed out']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('one whose client leaves is forgotten', async () => {
    const { queue, peers, said, enter } = start(2, 1000);
    const place = enter('a');
    enter('b');
    place?.cancel();
    peers.free = 2;
    queue.wake();
    await Promise.resolve();
    expect(said).toEqual(['b served']);
    place?.cancel();
    expect(queue.size).toBe(0);
  });
});
