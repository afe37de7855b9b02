import { describe, expect, test } from 'vitest';
import type { ResolvedNames } from '../../../src/upstream/resolved-names.ts';
import { UpstreamRegistry } from '../../../src/upstream/upstream-registry.ts';
import { fakeExchange } from './fake-exchange.ts';
import { readUpstreams } from './read-upstreams.ts';

function registryOf(
  text: string,
  previous: UpstreamRegistry | null = null,
  names: ResolvedNames = {},
): UpstreamRegistry {
  const registry = new UpstreamRegistry({ previous, names });
  for (const conf of readUpstreams(text).upstreams) registry.define(conf, null);
  return registry;
}

describe('a reload', () => {
  test('keeps a live peer when name and address are the same, and gives it the new numbers at the swap', () => {
    const before = registryOf('upstream u { server 127.0.0.1:1 weight=2; server 127.0.0.1:2; }');
    before.activate();
    const [kept, leaving] = before.byName('u')?.peers ?? [];
    Object.assign(kept ?? {}, { fails: 3 });

    const after = registryOf('upstream u { server 127.0.0.1:3; server 127.0.0.1:1 weight=5 max_conns=7; }', before);
    expect(kept).toMatchObject({ weight: 2, maxConns: 0 });
    expect(after.activate()).toEqual([leaving]);
    expect(after.byName('u')?.peers[1]).toBe(kept);
    expect(kept).toMatchObject({ fails: 3, weight: 5, effectiveWeight: 5, maxConns: 7 });
    expect(after.byName('u')?.carried).toBe(before.byName('u')?.carried);
  });

  test('a request under way releases on the peers that it began with', () => {
    const before = registryOf('upstream u { server 127.0.0.1:1; server 127.0.0.1:2; }');
    before.activate();
    const group = before.byName('u');
    if (group === null) throw new Error('no group');
    const session = group.newSession(fakeExchange());
    const peer = group.pick(session, 1);
    if (peer === null) throw new Error('no peer');
    registryOf('upstream u { server 127.0.0.1:2; }', before).activate();
    group.release(session, peer, 'ok', 2);
    expect(peer.active).toBe(0);
    expect(() => group.release(session, peer, 'ok', 2)).toThrow('released without a pick');
  });

  test('the same server said twice is two peers, and stays so', () => {
    const text = 'upstream u { server 127.0.0.1:1; server 127.0.0.1:1; }';
    const before = registryOf(text);
    before.activate();
    const after = registryOf(text, before);
    after.activate();
    const peers = after.byName('u')?.peers ?? [];
    expect(new Set(peers).size).toBe(2);
    expect(peers).toEqual(before.byName('u')?.peers);
  });

  test('a configuration that is dropped leaves nothing behind', () => {
    const before = registryOf('upstream u { server 127.0.0.1:1 weight=2; }');
    before.activate();
    registryOf('upstream u { server 127.0.0.1:1 weight=9; }', before);
    expect(before.byName('u')?.peers[0]?.weight).toBe(2);
  });
});

describe('proxy_pass', () => {
  const text = 'upstream back { server 127.0.0.1:1; } upstream 10.0.0.1 { server 127.0.0.1:2; }';

  test('to an upstream, by name in any case, without a port', () => {
    const registry = registryOf(text);
    expect(registry.forPass('BACK', 80)).toBe(registry.byName('back'));
    expect(registry.forPass('10.0.0.1', 80)).toBe(registry.byName('10.0.0.1'));
    expect(() => registry.forPass('back:8080', 80)).toThrow('upstream "back" may not have port 8080');
  });

  test('to an address: one group for the same host and port, no connections kept', () => {
    const registry = registryOf(text);
    const group = registry.forPass('127.0.0.1', 80);
    expect(registry.forPass('127.0.0.1:80', 80)).toBe(group);
    expect(registry.forPass('127.0.0.1:81', 80)).not.toBe(group);
    expect(group).toMatchObject({ isImplicit: true, keepalive: null });
    expect(group.peers.map((peer) => peer.addressText)).toEqual(['127.0.0.1:80']);
    expect(registry.forPass('unix:/run/x.sock', 80).peers[0]?.addressText).toBe('unix:/run/x.sock');
    expect(registry.forPass('[::1]:8080', 80).peers[0]?.addressText).toBe('[::1]:8080');
    expect(() => registry.forPass('127.0.0.1:0', 80)).toThrow('invalid port in upstream "127.0.0.1:0"');
  });

  test('to a name: one peer per address', () => {
    const names = {
      'two.test': [
        { host: '10.0.0.1', family: 4 },
        { host: '::1', family: 6 },
      ],
    } as const;
    const registry = registryOf(text, null, names);
    expect(registry.forPass('two.test:81', 80).peers.map((peer) => peer.addressText)).toEqual([
      '10.0.0.1:81',
      '[::1]:81',
    ]);
  });

  test('out of variables: an upstream, an address, or a name that is not known', () => {
    const registry = registryOf(text);
    expect(registry.forVariable('back', 80)).toBe(registry.byName('back'));
    const group = registry.forVariable('127.0.0.1:99', 80);
    expect(group?.peers[0]?.addressText).toBe('127.0.0.1:99');
    expect(registry.forVariable('127.0.0.1:99', 80)).toBe(group);
    expect(registry.forVariable('nowhere.test', 80)).toBeNull();
  });
});

describe('a name that does not resolve', () => {
  test('is a peer that is down; when it resolves its addresses come up', () => {
    const registry = registryOf('upstream u { server back.test:81; server 127.0.0.1:1; }');
    registry.activate();
    const group = registry.byName('u');
    expect(group?.peers.map((peer) => [peer.addressText, peer.isDown])).toEqual([
      ['back.test:81', true],
      ['127.0.0.1:1', false],
    ]);
    const steady = group?.peers[1];
    const gone = registry.applyName('back.test', [
      { host: '10.0.0.1', family: 4 },
      { host: '10.0.0.2', family: 4 },
    ]);
    expect(gone.map((peer) => peer.addressText)).toEqual(['back.test:81']);
    expect(group?.peers.map((peer) => peer.addressText)).toEqual(['10.0.0.1:81', '10.0.0.2:81', '127.0.0.1:1']);
    expect(group?.peers[2]).toBe(steady);
  });
});
