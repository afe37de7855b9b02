import { describe, expect, test } from 'vitest';
import type { UpstreamGroup } from '../../../src/upstream/upstream-group.ts';
import { UpstreamRegistry } from '../../../src/upstream/upstream-registry.ts';
import { fakeExchange } from './fake-exchange.ts';
import { readUpstreams } from './read-upstreams.ts';
import { ZoneSimulation } from './zone-simulation.ts';

const FOUR = [1, 2, 3, 4].map((port) => `server 127.0.0.1:${port} fail_timeout=10s;`).join(' ');

function start(text: string): { group: UpstreamGroup; log: string[] } {
  const log: string[] = [];
  const registry = new UpstreamRegistry({
    previous: null,
    names: {},
    onPanic: (isOn, line) => log.push(`${isOn ? 'on' : 'over'}: ${line}`),
  });
  for (const conf of readUpstreams(`upstream u { ${text} }`).upstreams) registry.define(conf, null);
  registry.activate();
  const group = registry.byName('u');
  if (group === null) throw new Error('no group');
  return { group, log };
}

function request(group: UpstreamGroup, nowMs: number, outcome: 'ok' | 'failed' = 'ok'): string | null {
  const session = group.newSession(fakeExchange());
  const peer = group.pick(session, nowMs);
  if (peer !== null) group.release(session, peer, outcome, nowMs);
  return peer?.addressText.slice(-1) ?? null;
}

const met = (group: UpstreamGroup, nowMs: number): string =>
  [...new Set(Array.from({ length: 8 }, () => request(group, nowMs)))].toSorted().join('');

function sayOfAll(group: UpstreamGroup, states: string): void {
  const names = { U: 'up', X: 'unhealthy', C: 'checking' } as const;
  for (const [i, letter] of [...states].entries()) {
    const peer = group.peers[i];
    if (peer !== undefined) peer.check = names[letter as keyof typeof names];
  }
}

describe('panic_threshold', () => {
  test('fewer than its share are up: all of them serve, and it is said once, and when it is over', () => {
    const { group, log } = start(`panic_threshold 50%; ${FOUR}`);
    sayOfAll(group, 'UUXX');
    expect(met(group, 1)).toBe('12');
    sayOfAll(group, 'UXXX');
    expect(met(group, 2)).toBe('1234');
    sayOfAll(group, 'XXXX');
    expect(met(group, 3)).toBe('1234');
    sayOfAll(group, 'UUXX');
    expect(met(group, 4)).toBe('12');
    expect(log).toEqual([
      'on: panic in upstream "u": 1 of 4 peers up, panic_threshold is 50%: balancing over all of them',
      'over: panic in upstream "u" is over: 2 of 4 peers up',
    ]);
    expect(group.panic).toMatchObject({ count: 1, isOn: false });
  });

  test('off, those that are out stay out', () => {
    const { group, log } = start(FOUR);
    sayOfAll(group, 'UXXX');
    expect(met(group, 1)).toBe('1');
    sayOfAll(group, 'XXXX');
    expect(met(group, 2)).toBe('');
    expect(log).toEqual([]);
  });

  test('a peer that has never passed a mandatory check is not counted and not used', () => {
    const { group, log } = start(`panic_threshold 50%; ${FOUR}`);
    sayOfAll(group, 'CCCC');
    expect(request(group, 1)).toBeNull();
    sayOfAll(group, 'UCCC');
    expect(met(group, 2)).toBe('1');
    sayOfAll(group, 'XCCC');
    expect(met(group, 3)).toBe('1');
    expect(log.length).toBe(1);
  });

  test('one that is down by configuration stays down', () => {
    const { group } = start(`panic_threshold 90%; server 127.0.0.1:1; server 127.0.0.1:2; server 127.0.0.1:3 down;`);
    sayOfAll(group, 'XX');
    expect(met(group, 1)).toBe('12');
  });

  test('a request that breaks each backend does not take all of them out', () => {
    const { group, log } = start(`panic_threshold 50%; ${FOUR}`);
    for (let nowMs = 1; nowMs < 100; nowMs++) request(group, nowMs, 'failed');
    expect(met(group, 200)).toBe('1234');
    expect(log.length).toBe(1);
    // When their time is over and they answer, failures count again.
    for (let nowMs = 11_000; nowMs < 11_010; nowMs++) request(group, nowMs);
    expect(log.length).toBe(2);
    expect(group.peers.map((peer) => [peer.maxFails, peer.fails])).toEqual([1, 2, 3, 4].map(() => [1, 0]));
  });

  test('with a zone the first worker and the last say it for all', () => {
    const log: string[] = [];
    const zones = new ZoneSimulation(`upstream u { zone z 64k; panic_threshold 50%; ${FOUR} }`, 3, (isOn) =>
      log.push(String(isOn)),
    );
    for (const port of [1, 2, 3]) zones.arbiter.check(`u 127.0.0.1:${port} 0`, { state: 'unhealthy', sinceMs: 1 });
    zones.settle();
    for (const worker of zones.workers) for (let i = 0; i < 8; i++) worker.request('ok', 2);
    zones.settle();
    expect(log).toEqual(['true']);
    for (const port of [1, 2, 3]) zones.arbiter.check(`u 127.0.0.1:${port} 0`, { state: 'up', sinceMs: 3 });
    zones.settle();
    for (const worker of zones.workers) worker.request('ok', 4);
    zones.settle();
    expect(log).toEqual(['true', 'false']);
  });
});
