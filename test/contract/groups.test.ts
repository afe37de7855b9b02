import { describe, expect, test } from 'vitest';
import type { Peer } from '../../src/upstream/peer.ts';
import type { PickSession } from '../../src/upstream/pick-session.ts';
import type { UpstreamGroup } from '../../src/upstream/upstream-group.ts';
import { fakeExchange } from '../unit/upstream/fake-exchange.ts';
import { groupOf } from '../unit/upstream/read-upstreams.ts';

const METHODS = ['', 'least_conn;', 'ip_hash;', 'hash $k;', 'hash $k consistent;', 'random;', 'random two;'];
/** Methods that nginx lets have backups. */
const WITH_BACKUPS = METHODS.slice(0, 2);

function session(group: UpstreamGroup): PickSession {
  return group.newSession(fakeExchange('10.1.2.3', 'key'));
}

function last(peer: Peer | null): string | null {
  return peer === null ? null : peer.addressText.slice(-1);
}

describe.each(METHODS)('an upstream with "%s"', (method) => {
  test('gives a request every peer once, then none; tries count down', () => {
    const group = groupOf(`${method} server 127.0.0.1:1; server 127.0.0.1:2; server 127.0.0.1:3 down;`);
    const request = session(group);
    expect(request.tries).toBe(2);
    const seen: (string | null)[] = [];
    for (let tries = 2; tries > 0; tries--) {
      expect(request.tries).toBe(tries);
      const peer = group.pick(request, 1);
      seen.push(last(peer));
      if (peer !== null) group.release(request, peer, 'failed', 1);
    }
    expect(seen.toSorted()).toEqual(['1', '2']);
    expect(request.tries).toBe(0);
    expect(group.pick(request, 1)).toBeNull();
  });

  test('counts what is under way, attempts, failures and times out', () => {
    const group = groupOf(`${method} server 127.0.0.1:1 max_fails=1; server 127.0.0.1:2 down;`);
    const request = session(group);
    const peer = group.pick(request, 1);
    if (peer === null) throw new Error('no peer');
    expect(peer).toMatchObject({ active: 1, localActive: 1 });
    expect(group.release(request, peer, 'failed', 2)).toBe('ejected');
    expect(peer).toMatchObject({ active: 0, localActive: 0 });
    expect(peer.stats).toMatchObject({ requests: 1, fails: 1, unavailable: 1 });
    expect(group.pick(session(group), 3)).toBeNull();
  });

  test('a session that is used again begins anew', () => {
    const group = groupOf(`${method} server 127.0.0.1:1 max_fails=0; server 127.0.0.1:2 max_fails=0;`);
    const request = session(group);
    for (let n = 0; n < 10; n++) {
      group.newSession(fakeExchange('10.1.2.3', 'key'), request);
      expect(request.tries).toBe(2);
      for (let i = 0; i < 2; i++) {
        const peer = group.pick(request, 1);
        expect(peer).not.toBeNull();
        if (peer !== null) group.release(request, peer, 'failed', 1);
      }
    }
  });

  test('proxy_next_upstream_tries cuts the tries', () => {
    const group = groupOf(`${method} server 127.0.0.1:1; server 127.0.0.1:2; server 127.0.0.1:3;`);
    const request = session(group);
    request.limitTries(0);
    expect(request.tries).toBe(3);
    request.limitTries(2);
    expect(request.tries).toBe(2);
  });

  test('a pick is released once, by who has it', () => {
    const group = groupOf(`${method} server 127.0.0.1:1; server 127.0.0.1:2;`);
    const request = session(group);
    const peer = group.pick(request, 1);
    if (peer === null) throw new Error('no peer');
    expect(() => group.release(session(group), peer, 'ok', 1)).toThrow('without a pick');
    group.release(request, peer, 'ok', 1);
    expect(() => group.release(request, peer, 'ok', 1)).toThrow('without a pick');
    expect(peer.active).toBe(0);
  });

  test('a group of one is never put out, and has one try', () => {
    const group = groupOf(`${method} server 127.0.0.1:1;`);
    for (let n = 0; n < 5; n++) {
      const request = session(group);
      const peer = group.pick(request, 1);
      if (peer === null) throw new Error('no peer');
      expect(group.release(request, peer, 'failed', 1)).toBe('none');
      expect(request.tries).toBe(0);
    }
  });
});

describe.each(WITH_BACKUPS)('backups with "%s"', (method) => {
  const text = `${method} server 127.0.0.1:1; server 127.0.0.1:2; server 127.0.0.1:8 backup; server 127.0.0.1:9 backup;`;

  test('are not touched while a primary is there', () => {
    const group = groupOf(text);
    for (let n = 0; n < 10; n++) expect(['1', '2']).toContain(last(group.pick(session(group), 1)));
  });

  test('come after the primaries within a request', () => {
    const group = groupOf(text);
    const request = session(group);
    expect(request.tries).toBe(4);
    const seen = [1, 2, 3, 4].map(() => {
      const peer = group.pick(request, 1);
      if (peer !== null) group.release(request, peer, 'neutral', 1);
      return last(peer);
    });
    expect(seen.slice(0, 2).toSorted()).toEqual(['1', '2']);
    expect(seen.slice(2).toSorted()).toEqual(['8', '9']);
    expect(group.pick(request, 1)).toBeNull();
  });

  test('serve while all primaries are out, full or down', () => {
    const group = groupOf(text);
    const [first, second] = group.peers;
    Object.assign(first ?? {}, { isDown: true });
    Object.assign(second ?? {}, { maxConns: 1, active: 1 });
    for (let n = 0; n < 10; n++) expect(['8', '9']).toContain(last(group.pick(session(group), 1)));
  });

  test('one primary with a backup is no group of one: it can be put out', () => {
    const group = groupOf(`${method} server 127.0.0.1:1; server 127.0.0.1:8 backup;`);
    const request = session(group);
    const peer = group.pick(request, 1);
    if (peer === null) throw new Error('no peer');
    expect(group.release(request, peer, 'failed', 1)).toBe('ejected');
    expect(last(group.pick(session(group), 2))).toBe('8');
    expect(last(group.pick(session(group), 10_002))).toBe('1');
  });
});
