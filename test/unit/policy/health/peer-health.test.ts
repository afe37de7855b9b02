import { describe, expect, test } from 'vitest';
import { isOut, isUnavail, type PeerHealth, peerState } from '../../../../src/policy/health/peer-health.ts';
import { peerView } from '../../../../src/policy/peer-view.ts';

const WELL: PeerHealth = { isUnresolved: false, isSaidDown: false, isDraining: false, check: 'up', isUnavail: false };

/** What is said of a peer; what it is; whether it gets requests, also in a panic (`-`: by its failures alone). */
const TABLE: readonly (readonly [Partial<PeerHealth>, state: string, isOut: boolean, isOutInPanic: boolean])[] = [
  [{}, 'up', false, false],
  [{ isUnavail: true }, 'unavail', false, false],
  [{ check: 'unhealthy' }, 'unhealthy', true, false],
  [{ check: 'unhealthy', isUnavail: true }, 'unhealthy', true, false],
  [{ check: 'checking' }, 'checking', true, true],
  [{ check: 'checking', isUnavail: true }, 'checking', true, true],
  [{ isDraining: true }, 'draining', true, true],
  [{ isDraining: true, check: 'unhealthy' }, 'draining', true, true],
  [{ isSaidDown: true, isDraining: true, check: 'unhealthy' }, 'down', true, true],
  [{ isUnresolved: true, isSaidDown: true }, 'unresolved', true, true],
];

describe('what a peer is', () => {
  test.each(TABLE)('%j: %s', (said, state, out, outInPanic) => {
    const health = { ...WELL, ...said };
    expect(peerState(health)).toBe(state);
    expect(isOut(health, false)).toBe(out);
    expect(isOut(health, true)).toBe(outInPanic);
  });

  test('unavail: its failures count and its time is not over, also where a panic does not look at them', () => {
    const peer = { ...peerView('a', { maxFails: 2, failTimeoutMs: 1000 }), fails: 2, checkedAtMs: 500 };
    expect([1500, 1501].map((now) => isUnavail(peer, 2, now))).toEqual([true, false]);
    peer.maxFails = 0;
    expect([1500, 1501].map((now) => isUnavail(peer, 2, now))).toEqual([true, false]);
    expect(isUnavail(peer, 0, 600)).toBe(false);
    expect(isUnavail({ ...peer, fails: 1 }, 2, 600)).toBe(false);
  });
});
