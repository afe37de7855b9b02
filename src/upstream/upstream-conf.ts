import type { SourcePos } from '../config/tree.ts';
import type { BalancerDef } from '../policy/balancer.ts';
import type { PassTarget } from './pass-target.ts';
import type { KeepaliveConf, PeerConf } from './peer-conf.ts';

/** One `server` line: where it leads, and its parameters. */
export interface ServerLine {
  readonly target: PassTarget;
  readonly conf: PeerConf;
}

/** `queue NUMBER [timeout=TIME]`. */
export interface QueueConf {
  readonly max: number;
  readonly timeoutMs: number;
}

/** One `upstream NAME {}` as read, before names are resolved. */
export interface UpstreamConf {
  readonly name: string;
  readonly pos: SourcePos | null;
  readonly servers: readonly ServerLine[];
  readonly method: { readonly def: BalancerDef; readonly args: readonly string[] };
  /** Null: `keepalive 0`. */
  readonly keepalive: KeepaliveConf | null;
  /** `zone NAME [SIZE]`: state shared by all workers; null = each worker's own. */
  readonly zone: { readonly name: string; readonly bytes: number } | null;
  /** `queue`; null: none. */
  readonly queue: QueueConf | null;
  /** `panic_threshold`, percent; null: off. */
  readonly panicPercent: number | null;
  /** `retry_budget`, percent; null: off. */
  readonly retryPercent: number | null;
}
