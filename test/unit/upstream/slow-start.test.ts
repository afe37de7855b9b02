import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { nowMs } from '../../../src/core/clock.ts';
import type { Peer } from '../../../src/upstream/peer.ts';
import { startSlowly, stopSlowStart } from '../../../src/upstream/slow-start.ts';
import type { UpstreamGroup } from '../../../src/upstream/upstream-group.ts';
import { fakeExchange } from './fake-exchange.ts';
import { groupOf } from './read-upstreams.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
});
afterEach(() => {
  vi.useRealTimers();
});

function peerOf(group: UpstreamGroup, index: number): Peer {
  const peer = group.peers[index];
  if (peer === undefined) throw new Error('no such peer');
  return peer;
}

/** How many of so many requests the first peer gets. */
function share(group: UpstreamGroup, requests: number): number {
  let hits = 0;
  for (let i = 0; i < requests; i++) {
    const session = group.newSession(fakeExchange());
    const peer = group.pick(session, Date.now());
    if (peer === null) continue;
    if (peer === group.peers[0]) hits++;
    group.release(session, peer, 'ok', Date.now());
  }
  return hits;
}

describe.each(['', 'least_conn;'])('slow_start with "%s"', (method) => {
  test('a peer that comes back gets its share little by little, then all of it', async () => {
    const group = groupOf(`${method} server 127.0.0.1:1 slow_start=30s; server 127.0.0.1:2;`);
    startSlowly(peerOf(group, 0), Date.now(), Date.now);
    const shares: number[] = [share(group, 1000)];
    for (let i = 0; i < 3; i++) {
      await vi.advanceTimersByTimeAsync(10_000);
      shares.push(share(group, 1000));
    }
    const [first = 0, second = 0, third = 0, last = 0] = shares;
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThan(20);
    expect(second).toBeGreaterThan(200);
    expect(second).toBeLessThan(300);
    expect(third).toBeGreaterThan(350);
    expect(third).toBeLessThan(450);
    expect(last).toBe(500);
    expect(peerOf(group, 0)).toMatchObject({ weight: 1, effectiveWeight: 1 });
    expect(vi.getTimerCount()).toBe(0);
  });

  test('one that goes again has no timer, and its weight for the next time', async () => {
    const group = groupOf(`${method} server 127.0.0.1:1 slow_start=30s weight=4; server 127.0.0.1:2;`);
    const peer = peerOf(group, 0);
    startSlowly(peer, Date.now(), Date.now);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(peer.weight).toBe(2);
    stopSlowStart(peer);
    expect(peer).toMatchObject({ weight: 4, effectiveWeight: 4 });
    expect(vi.getTimerCount()).toBe(0);
  });
});

test('a peer that was out by its failures begins slowly too', () => {
  const group = groupOf('server 127.0.0.1:1 slow_start=30s fail_timeout=1s; server 127.0.0.1:2;');
  const attempt = (outcome: 'ok' | 'failed', atMs: number): string => {
    const session = group.newSession(fakeExchange());
    const peer = group.pick(session, atMs);
    if (peer !== null) group.release(session, peer, outcome, atMs);
    return peer?.addressText.slice(-1) ?? '';
  };
  const now = nowMs();
  while (attempt('failed', now) !== '1');
  let later = now + 2000;
  while (attempt('ok', later) !== '1') later++;
  expect(peerOf(group, 0).weight).toBe(1 / 256);
});

test('without slow_start nothing is ever set', () => {
  const group = groupOf('server 127.0.0.1:1; server 127.0.0.1:2;');
  startSlowly(peerOf(group, 0), 0, Date.now);
  expect(peerOf(group, 0)).toMatchObject({ weight: 1, effectiveWeight: 1 });
  expect(vi.getTimerCount()).toBe(0);
});
