import type { Peer } from './peer.ts';
import type { UpstreamGroup } from './upstream-group.ts';

/** A peer and what all processes call it: upstream, address, and which of several alike. The same over reloads. */
export interface ZonePeer {
  readonly id: string;
  readonly peer: Peer;
}

export function zonePeers(group: UpstreamGroup): ZonePeer[] {
  const alike = new Map<string, number>();
  return [...group.peers, ...group.backups].map((peer) => {
    const ordinal = alike.get(peer.addressText) ?? 0;
    alike.set(peer.addressText, ordinal + 1);
    return { id: `${group.name} ${peer.addressText} ${ordinal}`, peer };
  });
}
