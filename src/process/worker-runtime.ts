import type { WorkerUser } from '../modules/core/worker-user.ts';
import type { LimitPrimaryMessage } from '../modules/limit-zone/limit-message.ts';
import type { ListenAddress, ListenHandle } from '../net/listen-address.ts';
import type { Staple } from '../net/ocsp/staple-plan.ts';
import type { SessionPrimaryMessage } from '../net/tls-sessions/session-message.ts';
import type { ZonePrimaryMessage } from '../upstream/zone-message.ts';
import type { ToWorker, WorkerConfig } from './messages.ts';

/** A configuration that is compiled and not yet in force; dropped when it is refused elsewhere. */
export interface PreparedConfig {
  readonly listens: readonly ListenAddress[];
  /** Whom the worker becomes; null: it stays what it is. */
  readonly user: WorkerUser | null;
  /** `worker_shutdown_timeout`; 0 = none. */
  readonly shutdownTimeoutMs: number;
  /** From here on new requests are served by it; those under way keep theirs. */
  activate(): void;
}

/** What a worker does with configurations and connections, as `Worker` drives it. */
export interface WorkerRuntime {
  /** Compiles. Rejects with ConfigFindings when it can't be. Changes nothing that serves. */
  prepare(config: WorkerConfig): Promise<PreparedConfig>;
  /** Begins to accept on a socket. Rejects with Node's error when listen(2) fails. */
  accept(address: ListenAddress, handle: ListenHandle): Promise<void>;
  /** An address on which it accepts has another `backlog` now. */
  setBacklog(address: ListenAddress): void;
  /** Accepts no more on this address (`ListenAddress.text`); connections go on. */
  stopAccepting(address: string): void;
  /** Closes idle connections, lets the others finish with `Connection: close`; resolves when none is left. */
  drain(): Promise<void>;
  /** Closes everything at once. */
  stop(): void;
  /** A name that had no address has some now. */
  applyName(news: Extract<ToWorker, { type: 'name' }>): void;
  /** What the primary has to say about zones. */
  onZoneMessage(message: ZonePrimaryMessage): void;
  /** The primary's verdicts about limits. */
  onLimitMessage(message: LimitPrimaryMessage): void;
  /** Sessions of TLS that the primary has. */
  onSessionMessage(message: SessionPrimaryMessage): void;
  /** An OCSP response has come, or is no more. */
  onStaple(staple: Staple): void;
  /** Keys of session tickets have changed. */
  onTicketKeys(keys: readonly string[]): void;
  /** Plain JSON for /lb_status. */
  upstreamStats(): unknown;
}

/** A configuration that was refused; each finding in nginx's words with its position. */
export class ConfigFindings extends Error {
  readonly findings: readonly string[];

  constructor(findings: readonly string[]) {
    super(findings.join('\n'));
    this.name = 'ConfigFindings';
    this.findings = findings;
  }
}
