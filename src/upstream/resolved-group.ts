import { roundRobin } from '../policy/balance/round-robin.ts';
import { Peer } from './peer.ts';
import { DEFAULT_PEER } from './peer-conf.ts';
import type { ResolvedAddress } from './resolved-names.ts';
import { UpstreamGroup } from './upstream-group.ts';

/** Of answers with one address: nothing is ever counted against the only peer, so all requests share it. */
const single = new WeakMap<readonly ResolvedAddress[], Map<number, UpstreamGroup>>();
let turn = 0;

/**
 * Where one request goes whose host a `resolver` has looked up: all addresses, the next request beginning with the next one. As in nginx, what
 * fails is out for the rest of this request only, and connections are not kept (`upstream` blocks do both).
 */
export function resolvedGroup(host: string, port: number, addresses: readonly ResolvedAddress[]): UpstreamGroup {
  if (addresses.length > 1) return newGroup(host, port, addresses, turn++ % addresses.length);
  let byPort = single.get(addresses);
  if (byPort === undefined) {
    byPort = new Map();
    single.set(addresses, byPort);
  }
  let group = byPort.get(port);
  if (group === undefined) {
    group = newGroup(host, port, addresses, 0);
    byPort.set(port, group);
  }
  return group;
}

function newGroup(host: string, port: number, addresses: readonly ResolvedAddress[], first: number): UpstreamGroup {
  const conf = { ...DEFAULT_PEER, name: `${host}:${port}` };
  const rotated = [...addresses.slice(first), ...addresses.slice(0, first)];
  return new UpstreamGroup({
    name: host,
    isImplicit: true,
    method: { def: roundRobin, args: [], compileKey: null },
    keepalive: null,
    primaries: rotated.map(({ host: address, family }) => new Peer(conf, { kind: 'tcp', host: address, family, port })),
    backups: [],
    random: () => 0,
    carried: { pool: null },
    zone: null,
    isZoned: false,
    queue: null,
    panicPercent: null,
    retryPercent: null,
    onPanic: () => undefined,
  });
}
