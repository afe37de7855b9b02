import type { ConfigSnapshot } from '../config/tree.ts';
import type { LimitPrimaryMessage, LimitWorkerMessage } from '../modules/limit-zone/limit-message.ts';
import type { ListenAddress } from '../net/listen-address.ts';
import type { Staple } from '../net/ocsp/staple-plan.ts';
import type { TlsFileContents } from '../net/tls-files.ts';
import type { SessionPrimaryMessage, SessionWorkerMessage } from '../net/tls-sessions/session-message.ts';
import type { ClusterStats, WorkerStats } from '../observe/cluster-stats.ts';
import type { ResolvedAddress, ResolvedNames } from '../upstream/resolved-names.ts';
import type { ZoneCheck, ZonePrimaryMessage, ZoneWorkerMessage } from '../upstream/zone-message.ts';

/** What a worker needs of a configuration; plain JSON. */
export interface WorkerConfig {
  readonly snapshot: ConfigSnapshot;
  /** Addresses of the names in it, looked up once for all workers. */
  readonly names: ResolvedNames;
  /** Where errors go when no `error_log` says so. */
  readonly defaultErrorLog: string;
  /** Certificates, keys and kin, read once for all workers. */
  readonly tlsFiles: TlsFileContents;
  /** Keys of session tickets where no file has one; base64. */
  readonly ticketKeys: readonly string[];
  /** What health checks say of peers, by the id of zones: workers begin with it. */
  readonly checks: Readonly<Record<string, ZoneCheck>>;
}

/**
 * Primary to worker. A configuration comes in three steps: `socket` for each address that the worker does not have yet (with the handle),
 * `prepare` (compile, change nothing), then `swap` or `abandon`.
 */
export type ToWorker =
  | { readonly type: 'socket'; readonly address: ListenAddress }
  /** The first number of a span of connection numbers (`ConnectionNumbers`); one comes before anything else. */
  | { readonly type: 'connection-numbers'; readonly first: number }
  | { readonly type: 'prepare'; readonly generation: number; readonly config: WorkerConfig }
  | { readonly type: 'swap'; readonly generation: number }
  | { readonly type: 'abandon'; readonly generation: number }
  | { readonly type: 'reopen' }
  | { readonly type: 'quit'; readonly timeoutMs: number }
  | { readonly type: 'stop' }
  | { readonly type: 'stats-query'; readonly query: number; readonly isFull: boolean }
  | { readonly type: 'stats-reply'; readonly query: number; readonly stats: ClusterStats }
  /** A name that had no address has some now. */
  | {
      readonly type: 'name';
      readonly name: string;
      readonly addresses: readonly ResolvedAddress[];
      /** As in `WorkerConfig`, with the peers that come by it. */
      readonly checks: WorkerConfig['checks'];
    }
  | { readonly type: 'zone'; readonly payload: ZonePrimaryMessage }
  | { readonly type: 'limit'; readonly payload: LimitPrimaryMessage }
  | { readonly type: 'session'; readonly payload: SessionPrimaryMessage }
  | { readonly type: 'staple'; readonly staple: Staple }
  /** Others than those of the configuration make tickets now. */
  | { readonly type: 'ticket-keys'; readonly keys: readonly string[] };

/** Worker to primary. */
export type FromWorker =
  | { readonly type: 'up' }
  | { readonly type: 'prepared'; readonly generation: number }
  | { readonly type: 'refused'; readonly generation: number; readonly findings: readonly string[] }
  | { readonly type: 'swapped'; readonly generation: number }
  /** It closed this socket (`listenKey`) for a while, and wants to accept on it again. */
  | { readonly type: 'socket-wanted'; readonly key: string }
  /** It took up a span of connection numbers: it wants the one after. */
  | { readonly type: 'connection-numbers-wanted' }
  | { readonly type: 'swap-failed'; readonly generation: number; readonly text: string }
  | { readonly type: 'stats-request'; readonly query: number; readonly isFull: boolean }
  | { readonly type: 'stats-answer'; readonly query: number; readonly stats: WorkerStats }
  /** From time to time, so that the totals of a worker that is killed are not lost. */
  | { readonly type: 'counters'; readonly counters: readonly number[] }
  | { readonly type: 'zone'; readonly payload: ZoneWorkerMessage }
  | { readonly type: 'limit'; readonly payload: LimitWorkerMessage }
  | { readonly type: 'session'; readonly payload: SessionWorkerMessage };

/** Every message between processes. */
export type WorkerMessage = ToWorker | FromWorker;
