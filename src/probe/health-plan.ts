import { ServiceKey } from '../http/http-module.ts';
import type { CheckRule } from '../policy/health/check-machine.ts';
import type { PeerAddress } from '../upstream/peer-address.ts';
import type { UpstreamGroup } from '../upstream/upstream-group.ts';
import { zonePeers } from '../upstream/zone-peers.ts';
import type { Probe } from './probe.ts';

/** One `health_check` of a configuration. */
export interface HealthCheck {
  /** The same over reloads as long as nothing of it changes. */
  readonly key: string;
  /** Name of its `match`, for the log; '' = none. */
  readonly name: string;
  readonly group: UpstreamGroup;
  /** `port=`; null: the peer's own. */
  readonly port: number | null;
  readonly intervalMs: number;
  readonly jitterMs: number;
  readonly rule: CheckRule;
  /** A peer gets no request before its first pass. */
  readonly isMandatory: boolean;
  /** Called in the process that checks, and only there. */
  readonly makeProbe: () => Promise<Probe>;
}

/** A peer that is checked. */
export interface CheckedPeer {
  /** What zones call it. */
  readonly id: string;
  readonly address: PeerAddress;
  readonly addressText: string;
}

/** All checks of the configuration being compiled. */
export const HEALTH_PLAN = new ServiceKey<HealthPlan>('health checks');

export class HealthPlan {
  readonly #checks: HealthCheck[] = [];
  readonly #keys = new Map<string, number>();

  /** `key` need not be unique: several of the same are told apart by their order. */
  add(check: HealthCheck): void {
    const known = this.#keys.get(check.key) ?? 0;
    this.#keys.set(check.key, known + 1);
    this.#checks.push({ ...check, key: `${check.key}\0${known}` });
  }

  get checks(): readonly HealthCheck[] {
    return this.#checks;
  }
}

/** Peers of a check: all that have an address and are not said to be down, backups too. Changes as names resolve. */
export function checkedPeers({ group, port }: HealthCheck): CheckedPeer[] {
  return zonePeers(group).flatMap(({ id, peer }) => {
    const { address, addressText, conf } = peer;
    if (address === null || conf.isDown) return [];
    return [{ id, addressText, address: port === null || address.kind === 'unix' ? address : { ...address, port } }];
  });
}
