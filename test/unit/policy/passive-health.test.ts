import { describe, expect, test } from 'vitest';
import { isAvailable, isHealthy } from '../../../src/policy/availability.ts';
import { settle } from '../../../src/policy/passive-health.ts';
import { PeerSet } from '../../../src/policy/peer-set.ts';
import { peerView } from '../../../src/policy/peer-view.ts';
import { PickState } from '../../../src/policy/pick-state.ts';

describe('failures within fail_timeout', () => {
  test('max_fails of them put a peer out, said once; then that it is still out', () => {
    const peer = peerView('p', { maxFails: 2, failTimeoutMs: 1000 });
    expect(settle(peer, 'failed', 100)).toBe('none');
    expect(isHealthy(peer, 100)).toBe(true);
    expect(settle(peer, 'failed', 200)).toBe('ejected');
    expect(settle(peer, 'failed', 300)).toBe('still-out');
    expect(isAvailable(peer, 1300)).toBe(false);
    expect(isAvailable(peer, 1301)).toBe(true);
  });

  test('a success in a later window forgets them', () => {
    const peer = peerView('p', { maxFails: 2, failTimeoutMs: 1000 });
    const set = new PeerSet([peer, peerView('q')], false);
    settle(peer, 'failed', 100);
    expect(settle(peer, 'ok', 200)).toBe('none');
    expect(peer.fails).toBe(1); // same window
    set.take(0, new PickState(), 1101);
    settle(peer, 'ok', 1101);
    expect(peer.fails).toBe(0);
  });

  test('a trial that goes well brings it back, one that fails starts a new window', () => {
    const peer = peerView('p', { maxFails: 1, failTimeoutMs: 1000 });
    const set = new PeerSet([peer, peerView('q')], false);
    settle(peer, 'failed', 100);
    set.take(0, new PickState(), 1200);
    expect(settle(peer, 'failed', 1250)).toBe('still-out');
    expect(isAvailable(peer, 2250)).toBe(false);
    set.take(0, new PickState(), 2300);
    expect(settle(peer, 'ok', 2310)).toBe('recovered');
    expect(peer.fails).toBe(0);
  });

  test('nothing is said by an attempt that says nothing', () => {
    const peer = peerView('p', { failTimeoutMs: 1000 });
    settle(peer, 'failed', 100);
    peer.checkedAtMs = 1200;
    expect(settle(peer, 'neutral', 1250)).toBe('none');
    expect(peer.fails).toBe(1);
  });

  test('max_fails=0 counts but never puts out', () => {
    const peer = peerView('p', { maxFails: 0, weight: 4 });
    for (let i = 0; i < 10; i++) expect(settle(peer, 'failed', i)).toBe('none');
    expect(peer.effectiveWeight).toBe(4);
    expect(isAvailable(peer, 10)).toBe(true);
  });

  test('each failure costs weight / max_fails, whole numbers, never below zero', () => {
    const peer = peerView('p', { maxFails: 3, weight: 10 });
    const seen = [1, 2, 3, 4].map((at) => {
      settle(peer, 'failed', at);
      return peer.effectiveWeight;
    });
    expect(seen).toEqual([7, 4, 1, 0]);
  });
});
