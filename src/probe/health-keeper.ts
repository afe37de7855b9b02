import {
  type CheckRule,
  type CheckState,
  type CheckView,
  combined,
  newCheckView,
  observe,
} from '../policy/health/check-machine.ts';
import type { ZoneCheck } from '../upstream/zone-message.ts';
import { checkedPeers, type HealthCheck, type HealthPlan } from './health-plan.ts';

/** What came of one look; plain JSON, from the process that checks. */
export interface CheckReport {
  readonly check: string;
  readonly peer: string;
  readonly isPassed: boolean;
  readonly doing: string;
  readonly reason: string;
  readonly tookMs: number;
}

export interface HealthKeeperInit {
  /** What the checks say of a peer has changed; null: it is no longer checked. */
  readonly onChange: (peer: string, check: ZoneCheck | null) => void;
  readonly log: (level: 'warn' | 'notice', text: string) => void;
  readonly now: () => number;
  readonly wall: () => number;
}

/** What one check knows of one peer, for who wants to show it. */
export interface CheckRecord {
  readonly upstream: string;
  readonly address: string;
  readonly name: string;
  readonly state: CheckState;
  /** Looks made, those that failed, flips to unhealthy. */
  readonly checks: number;
  readonly fails: number;
  readonly unhealthy: number;
  /** Null before the first look. */
  readonly last: {
    readonly isPassed: boolean;
    readonly atMs: number;
    readonly tookMs: number;
    readonly reason: string;
  } | null;
}

/**
 * The state of all checked peers. It lives in the primary, so it outlives workers, reloads and the process that checks, and there is
 * one truth for all workers.
 */
export class HealthKeeper {
  readonly #init: HealthKeeperInit;
  /** By peer, then by check. */
  #peers = new Map<string, KeptPeer>();

  constructor(init: HealthKeeperInit) {
    this.#init = init;
  }

  /** The checks in force from now on; again when the addresses of a name came. Peers that stay keep what is known of them. */
  open(plan: HealthPlan): void {
    const before = this.#peers;
    this.#peers = this.#peersOf(plan);
    for (const id of before.keys()) if (!this.#peers.has(id)) this.#init.onChange(id, null);
    for (const [id, peer] of this.#peers) {
      if (before.get(id)?.state !== peer.state) this.#init.onChange(id, { state: peer.state, sinceMs: peer.sinceMs });
    }
  }

  /** What workers have to know before they serve a configuration with these checks; changes nothing. */
  expected(plan: HealthPlan): Record<string, ZoneCheck> {
    return Object.fromEntries([...this.#peersOf(plan)].map(([id, { state, sinceMs }]) => [id, { state, sinceMs }]));
  }

  report(): CheckRecord[] {
    return [...this.#peers.values()].flatMap((peer) => [...peer.checks.values()].map((one) => one.record()));
  }

  observe(report: CheckReport): void {
    const peer = this.#peers.get(report.peer);
    const one = peer?.checks.get(report.check);
    if (peer === undefined || one === undefined) return; // a configuration that is no more
    const flip = observe(one.view, one.rule, report.isPassed);
    one.note(report, this.#init.wall());
    if (flip === 'none') return;
    if (flip === 'unhealthy') one.unhealthy++;
    const why = flip === 'unhealthy' && report.reason !== '' ? `: ${report.reason}` : '';
    this.#init.log(
      flip === 'unhealthy' ? 'warn' : 'notice',
      `peer is ${flip} while ${report.doing}, ${one.text}${why}`,
    );
    const state = peer.combinedState;
    if (state === peer.state) return;
    peer.state = state;
    peer.sinceMs = this.#init.now();
    this.#init.onChange(report.peer, { state, sinceMs: peer.sinceMs });
  }

  #peersOf(plan: HealthPlan): Map<string, KeptPeer> {
    const peers = new Map<string, KeptPeer>();
    for (const check of plan.checks) {
      for (const { id, addressText } of checkedPeers(check)) {
        const before = this.#peers.get(id);
        const peer = peers.get(id) ?? new KeptPeer(before?.sinceMs ?? this.#init.now());
        peers.set(id, peer);
        const known = before?.checks.get(check.key);
        peer.checks.set(check.key, known ?? new KeptCheck(check, addressText, firstState(check, before)));
      }
    }
    for (const peer of peers.values()) peer.state = peer.combinedState;
    return peers;
  }
}

/** Of a check that is new. A peer that was known already stays as it is: nothing has been seen to the contrary. */
function firstState(check: HealthCheck, before: KeptPeer | undefined): CheckState {
  if (before !== undefined && before.state !== 'checking') return before.state;
  return check.isMandatory ? 'checking' : 'up';
}

class KeptPeer {
  readonly checks = new Map<string, KeptCheck>();
  state: CheckState = 'up';
  sinceMs: number;

  constructor(sinceMs: number) {
    this.sinceMs = sinceMs;
  }

  get combinedState(): CheckState {
    return combined([...this.checks.values()].map((one) => one.view.state));
  }
}

class KeptCheck {
  readonly rule: CheckRule;
  readonly #upstream: string;
  readonly #name: string;
  readonly #address: string;
  readonly view: CheckView;
  /** As nginx Plus ends its lines. */
  readonly text: string;
  unhealthy = 0;
  #checks = 0;
  #fails = 0;
  #last: CheckRecord['last'] = null;

  constructor(check: HealthCheck, address: string, state: CheckState) {
    this.rule = check.rule;
    this.#upstream = check.group.name;
    this.#name = check.name;
    this.#address = address;
    this.view = newCheckView(state);
    const port = check.port === null ? '' : `, port ${check.port}`;
    this.text = `health check "${check.name}" of peer ${address} in upstream "${check.group.name}"${port}`;
  }

  note({ isPassed, tookMs, reason }: CheckReport, atMs: number): void {
    this.#checks++;
    if (!isPassed) this.#fails++;
    this.#last = { isPassed, atMs, tookMs, reason };
  }

  record(): CheckRecord {
    return {
      upstream: this.#upstream,
      address: this.#address,
      name: this.#name,
      state: this.view.state,
      checks: this.#checks,
      fails: this.#fails,
      unhealthy: this.unhealthy,
      last: this.#last,
    };
  }
}
