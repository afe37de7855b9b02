import type { ClusterStats } from '../../observe/cluster-stats.ts';
import { ACCEPTED, ACTIVE, HANDLED, READING, REQUESTS, WAITING, WRITING } from '../../observe/counters.ts';
import { PEER_STATES, type PeerState } from '../../policy/health/peer-health.ts';
import type { PeerReport, UpstreamReport } from './upstream-report.ts';

/** What `lb_status` answers. Byte strings of the configuration are text here. */
export interface StatusDocument {
  readonly workers: readonly number[];
  readonly connections: Readonly<Record<string, number>>;
  readonly requests: number;
  readonly upstreams: Readonly<Record<string, UpstreamDocument>>;
}

export interface UpstreamDocument {
  /** `panic_threshold`: whether any worker is in a panic, and the most often that one was; absent: off. */
  readonly panic?: { readonly on: boolean; readonly count: number };
  /** `queue`; absent: none. */
  readonly queue?: { readonly size: number; readonly overflows: number };
  /** `retry_budget`: retries that were not made; absent: off. */
  readonly retries_refused?: number;
  readonly peers: readonly PeerDocument[];
}

export interface PeerDocument {
  readonly name: string;
  readonly address: string;
  readonly backup: boolean;
  readonly weight: number;
  /** The worst that any worker says; without `zone` each has its own view. */
  readonly state: PeerState;
  readonly active: number;
  readonly requests: number;
  readonly responses: Readonly<Record<string, number>>;
  readonly fails: number;
  readonly unavailable: number;
  /** Null: it never failed. */
  readonly last_failure: { readonly at: string; readonly text: string } | null;
  readonly bytes_sent: number;
  readonly bytes_received: number;
  /** Means over all answers in ms; null before the first. */
  readonly header_time_ms: number | null;
  readonly response_time_ms: number | null;
}

/** Sums the workers' reports: peers are the same when upstream, place and address are. */
export function statusDocument(stats: ClusterStats): StatusDocument {
  const at = (index: number): number => stats.counters[index] ?? 0;
  const upstreams = new Map<string, Map<string, PeerReport[]>>();
  const groups = new Map<string, UpstreamReport[]>();
  for (const worker of stats.workers) {
    for (const upstream of (worker.upstreams ?? []) as readonly UpstreamReport[]) {
      groups.set(upstream.name, [...(groups.get(upstream.name) ?? []), upstream]);
      const peers = upstreams.get(upstream.name) ?? new Map<string, PeerReport[]>();
      upstreams.set(upstream.name, peers);
      for (const [place, peer] of upstream.peers.entries()) {
        const key = `${place} ${peer.address}`;
        const reports = peers.get(key);
        if (reports === undefined) peers.set(key, [peer]);
        else reports.push(peer);
      }
    }
  }
  return {
    workers: stats.workers.map((worker) => worker.pid).sort((a, b) => a - b),
    connections: {
      accepted: at(ACCEPTED),
      handled: at(HANDLED),
      active: at(ACTIVE),
      reading: at(READING),
      writing: at(WRITING),
      waiting: at(WAITING),
    },
    requests: at(REQUESTS),
    upstreams: Object.fromEntries(
      [...upstreams].map(([name, peers]) => [
        text(name),
        { ...sumGroup(groups.get(name) ?? []), peers: [...peers.values()].flatMap(sumPeer) },
      ]),
    ),
  };
}

/** Only what is in force. */
function sumGroup(reports: readonly UpstreamReport[]): Omit<UpstreamDocument, 'peers'> {
  const panics = reports.flatMap(({ panic }) => panic ?? []);
  const queues = reports.flatMap(({ queue }) => queue ?? []);
  const refused = reports.flatMap(({ retriesRefused }) => retriesRefused ?? []);
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
  return {
    ...(panics.length === 0
      ? {}
      : { panic: { on: panics.some(({ isOn }) => isOn), count: Math.max(...panics.map(({ count }) => count)) } }),
    ...(queues.length === 0
      ? {}
      : { queue: { size: sum(queues.map(({ size }) => size)), overflows: sum(queues.map((one) => one.overflows)) } }),
    ...(refused.length === 0 ? {} : { retries_refused: sum(refused) }),
  };
}

function sumPeer(reports: readonly PeerReport[]): PeerDocument[] {
  const [first] = reports;
  if (first === undefined) return [];
  const sum = (value: (report: PeerReport) => number): number => reports.reduce((total, one) => total + value(one), 0);
  const answers = sum((one) => one.responses.reduce((total, count) => total + count, 0));
  const mean = (value: (report: PeerReport) => number): number | null =>
    answers === 0 ? null : Math.round((sum(value) / answers) * 1000) / 1000;
  const failed = reports.reduce((a, b) => (b.lastFailureAtMs > a.lastFailureAtMs ? b : a));
  return [
    {
      name: text(first.name),
      address: text(first.address),
      backup: first.isBackup,
      weight: first.weight,
      state: PEER_STATES[Math.max(...reports.map((one) => PEER_STATES.indexOf(one.state)))] ?? 'up',
      active: sum((one) => one.active),
      requests: sum((one) => one.requests),
      responses: Object.fromEntries(
        [1, 2, 3, 4, 5].map((kind) => [`${kind}xx`, sum((one) => one.responses[kind] ?? 0)]),
      ),
      fails: sum((one) => one.fails),
      unavailable: sum((one) => one.unavailable),
      last_failure:
        failed.lastFailureAtMs === 0
          ? null
          : { at: new Date(failed.lastFailureAtMs).toISOString(), text: text(failed.lastFailure) },
      bytes_sent: sum((one) => one.bytesSent),
      bytes_received: sum((one) => one.bytesReceived),
      header_time_ms: mean((one) => one.headerTimeSumMs),
      response_time_ms: mean((one) => one.responseTimeSumMs),
    },
  ];
}

/** Byte string to text for people. */
function text(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
