import { expect, test } from 'vitest';
import { UpstreamRegistry } from '../../../src/upstream/upstream-registry.ts';
import { zonePeers } from '../../../src/upstream/zone-peers.ts';
import { ZonePort } from '../../../src/upstream/zone-port.ts';
import { fakeExchange } from './fake-exchange.ts';
import { readUpstreams } from './read-upstreams.ts';

test('a peer whose name resolves later gets nothing before its first pass, where that is wanted', () => {
  const port = new ZonePort({ send: () => undefined, schedule: () => undefined, later: () => undefined });
  const registry = new UpstreamRegistry({ previous: null, names: {}, zones: port });
  const text = 'upstream u { zone z 64k; server 127.0.0.1:1; server late.example:2; }';
  for (const conf of readUpstreams(text).upstreams) registry.define(conf, null);
  registry.activate();
  const group = registry.byName('u');
  if (group === null) throw new Error('no group');

  port.expect({ 'u 10.0.0.9:2 0': { state: 'checking', sinceMs: 1 } });
  registry.applyName('late.example', [{ host: '10.0.0.9', family: 4 }]);
  expect(zonePeers(group).map(({ id, peer }) => [id, peer.state(1)])).toEqual([
    ['u 127.0.0.1:1 0', 'up'],
    ['u 10.0.0.9:2 0', 'checking'],
  ]);
  for (let i = 0; i < 4; i++) {
    expect(group.pick(group.newSession(fakeExchange()), 1)?.addressText).toBe('127.0.0.1:1');
  }

  // News of the checks outlive what an older message says, and that the peers are opened anew.
  const update = { id: 'u 10.0.0.9:2 0', others: 0, picks: 0, check: { state: 'up' as const, sinceMs: 2 } };
  port.receive({ kind: 'zone-update', peers: [update], yield: [], slots: [] });
  port.expect({ 'u 10.0.0.9:2 0': { state: 'checking', sinceMs: 1 } });
  port.open([group]);
  expect(zonePeers(group).map(({ peer }) => peer.state(3))).toEqual(['up', 'up']);
});
