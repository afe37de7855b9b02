import { PEER_STATES, type PeerState } from '../../policy/health/peer-health.ts';
import type { Peer } from '../../upstream/peer.ts';
import type { UpstreamGroup } from '../../upstream/upstream-group.ts';

/** One worker's view of one peer; plain JSON. Counters are this worker's own, `active` too. */
export interface PeerReport {
  readonly name: string;
  readonly address: string;
  readonly isBackup: boolean;
  readonly weight: number;
  /** `up`, `draining`, `unavail` (failed too often, waits for its trial), `checking`, `unhealthy` (by its checks), `down` (said so), `unresolved`. */
  readonly state: PeerState;
  readonly active: number;
  readonly requests: number;
  /** Answers by class: index 1 to 5. */
  readonly responses: readonly number[];
  readonly fails: number;
  readonly unavailable: number;
  readonly lastFailureAtMs: number;
  readonly lastFailure: string;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly headerTimeSumMs: number;
  readonly responseTimeSumMs: number;
}

export interface UpstreamReport {
  readonly name: string;
  /** `panic_threshold`: whether this worker is in a panic, and how often it was; absent: off. */
  readonly panic?: { readonly isOn: boolean; readonly count: number };
  /** `queue`: requests that wait now, and those that found it full; absent: none. */
  readonly queue?: { readonly size: number; readonly overflows: number };
  /** `retry_budget`: retries that were not made; absent: off. */
  readonly retriesRefused?: number;
  readonly peers: readonly PeerReport[];
}

const NUMBERS = [
  'weight',
  'active',
  'requests',
  'fails',
  'unavailable',
  'lastFailureAtMs',
  'bytesSent',
  'bytesReceived',
  'headerTimeSumMs',
  'responseTimeSumMs',
] as const satisfies readonly (keyof PeerReport)[];
const LATEST_DATE_MS = 8.64e15;

/** Whether a value that came from another process is what `reportUpstreams` makes. */
export function isUpstreamReports(value: unknown): value is UpstreamReport[] {
  return (
    Array.isArray(value) &&
    value.every((group: Partial<UpstreamReport> | null) => {
      if (typeof group?.name !== 'string' || !Array.isArray(group.peers)) return false;
      const { panic, queue, retriesRefused } = group;
      return (
        (panic === undefined || (typeof panic?.isOn === 'boolean' && Number.isFinite(panic.count))) &&
        (queue === undefined || (Number.isFinite(queue?.size) && Number.isFinite(queue?.overflows))) &&
        (retriesRefused === undefined || Number.isFinite(retriesRefused)) &&
        group.peers.every(isPeerReport)
      );
    })
  );
}

function isPeerReport(peer: Partial<PeerReport> | null): boolean {
  if (peer === null) return false;
  const { name, address, isBackup, state, responses, lastFailure, lastFailureAtMs } = peer;
  return (
    [name, address, lastFailure].every((text) => typeof text === 'string') &&
    typeof isBackup === 'boolean' &&
    PEER_STATES.some((known) => known === state) &&
    Array.isArray(responses) &&
    responses.every(Number.isFinite) &&
    NUMBERS.every((field) => Number.isFinite(peer[field])) &&
    Math.abs(lastFailureAtMs ?? 0) <= LATEST_DATE_MS
  );
}

/** All groups of a worker. */
export function reportUpstreams(groups: readonly UpstreamGroup[], nowMs: number): UpstreamReport[] {
  return groups.map((group) => ({
    name: group.name,
    ...(group.panic === null ? {} : { panic: { isOn: group.panic.isOn, count: group.panic.count } }),
    ...(group.queue === null ? {} : { queue: { size: group.queue.size, overflows: group.queue.overflows } }),
    ...(group.retryBudget === null ? {} : { retriesRefused: group.retryBudget.refused }),
    peers: [
      ...group.peers.map((peer) => reportPeer(peer, false, nowMs)),
      ...group.backups.map((peer) => reportPeer(peer, true, nowMs)),
    ],
  }));
}

function reportPeer(peer: Peer, isBackup: boolean, nowMs: number): PeerReport {
  const { stats } = peer;
  return {
    name: peer.name,
    address: peer.addressText,
    isBackup,
    weight: peer.weight,
    state: peer.state(nowMs),
    active: peer.localActive,
    requests: stats.requests,
    responses: [...stats.responses],
    fails: stats.fails,
    unavailable: stats.unavailable,
    lastFailureAtMs: stats.lastFailureAtMs,
    lastFailure: stats.lastFailure,
    bytesSent: stats.bytesSent,
    bytesReceived: stats.bytesReceived,
    headerTimeSumMs: stats.headerTimeSumMs,
    responseTimeSumMs: stats.responseTimeSumMs,
  };
}
