import { strerror } from '../core/strerror.ts';
import type { WorkerUser } from '../modules/core/worker-user.ts';
import type { ListenAddress, ListenHandle } from '../net/listen-address.ts';
import type { WorkerStats } from '../observe/cluster-stats.ts';
import type { Counters } from '../observe/counters.ts';
import type { LogFiles } from '../observe/log-files.ts';
import type { ConnectionNumbers } from './connection-numbers.ts';
import { listenKey } from './listen-socket.ts';
import type { MainLog } from './main-log.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { ConfigFindings, type PreparedConfig, type WorkerRuntime } from './worker-runtime.ts';

/** What the worker has of its process. */
export interface WorkerHost {
  send(message: FromWorker): void;
  /** Leaves for good with this exit code; logs are flushed. */
  exit(code: number): void;
  /** Gives up root's rights; throws when it must and can't. Called once, with the first configuration's logs open and before it serves. */
  dropPrivileges(user: WorkerUser | null): void;
}

export interface WorkerParts {
  readonly runtime: WorkerRuntime;
  readonly logFiles: LogFiles;
  readonly log: MainLog;
  readonly counters: Counters;
  readonly connectionNumbers: ConnectionNumbers;
  onStatsReply(message: Extract<ToWorker, { type: 'stats-reply' }>): void;
}

/** The primary may not start a worker that ends with this code again. */
export const FATAL_EXIT_CODE = 2;

const COUNTERS_EVERY_MS = 500;

interface OpenSocket {
  address: ListenAddress;
  readonly handle: ListenHandle;
  isAccepting: boolean;
}

/** One worker: does what the primary's messages say. */
export class Worker {
  readonly #host: WorkerHost;
  readonly #parts: WorkerParts;
  readonly #sockets = new Map<string, OpenSocket>();
  #prepared: { readonly generation: number; readonly config: PreparedConfig } | null = null;
  #generation = 0;
  #isQuitting = false;
  #shutdownTimeoutMs = 0;
  #sentSum = -1;
  #counterTimer: NodeJS.Timeout | null = null;

  constructor(host: WorkerHost, parts: WorkerParts) {
    this.#host = host;
    this.#parts = parts;
  }

  /** Never rejects: what fails is told to the primary. */
  async receive(message: ToWorker, handle: ListenHandle | undefined): Promise<void> {
    switch (message.type) {
      case 'socket':
        return handle === undefined ? undefined : this.#takeSocket(message.address, handle);
      case 'connection-numbers':
        return this.#parts.connectionNumbers.take(message.first);
      case 'prepare':
        return this.#prepare(message);
      case 'swap':
        return this.#swap(message.generation);
      case 'abandon':
        return this.#abandon(message.generation);
      case 'reopen':
        return this.reopenLogs();
      case 'quit':
        return this.quit(message.timeoutMs);
      case 'stop':
        return this.stop();
      case 'stats-query':
        return this.#host.send({ type: 'stats-answer', query: message.query, stats: this.#stats(message.isFull) });
      case 'stats-reply':
        return this.#parts.onStatsReply(message);
      case 'name':
        return this.#parts.runtime.applyName(message);
      case 'zone':
        return this.#parts.runtime.onZoneMessage(message.payload);
      case 'limit':
        return this.#parts.runtime.onLimitMessage(message.payload);
      case 'session':
        return this.#parts.runtime.onSessionMessage(message.payload);
      case 'staple':
        return this.#parts.runtime.onStaple(message.staple);
      case 'ticket-keys':
        return this.#parts.runtime.onTicketKeys(message.keys);
    }
  }

  reopenLogs(): void {
    for (const text of this.#parts.logFiles.reopen()) this.#parts.log.write('emerg', text);
  }

  /** QUIT: answers what is under way, then leaves. `timeoutMs` 0: however long it takes; default: as configured. */
  async quit(timeoutMs = this.#shutdownTimeoutMs): Promise<void> {
    if (this.#isQuitting) return;
    this.#isQuitting = true;
    this.#parts.log.write('notice', 'gracefully shutting down');
    for (const socket of this.#sockets.values()) this.#stopAccepting(socket);
    await withTimeout(this.#parts.runtime.drain(), timeoutMs);
    this.stop();
  }

  /** TERM: leaves now. */
  stop(): void {
    this.#isQuitting = true;
    if (this.#counterTimer !== null) clearInterval(this.#counterTimer);
    this.#parts.runtime.stop();
    this.#sendCounters();
    this.#parts.log.write('notice', 'exiting');
    this.#host.exit(0);
  }

  /** A new address, accepted on at the next swap; or one whose accepting was paused. */
  async #takeSocket(address: ListenAddress, handle: ListenHandle): Promise<void> {
    const key = listenKey(address);
    const known = this.#sockets.get(key);
    if (known === undefined) {
      this.#sockets.set(key, { address, handle, isAccepting: false });
    } else if (known.isAccepting && !this.#isQuitting) {
      await this.#parts.runtime.accept(address, handle);
    }
  }

  // 1. compile
  async #prepare(message: Extract<ToWorker, { type: 'prepare' }>): Promise<void> {
    const { generation, config } = message;
    this.#parts.logFiles.begin();
    try {
      this.#prepared = { generation, config: await this.#parts.runtime.prepare(config) };
    } catch (error) {
      this.#parts.logFiles.abandon();
      const findings = error instanceof ConfigFindings ? error.findings : [asText(error)];
      this.#host.send({ type: 'refused', generation, findings });
      return;
    }
    this.#host.send({ type: 'prepared', generation });
  }

  // 2. take it into force, then open what is new, then close what is gone
  async #swap(generation: number): Promise<void> {
    const prepared = this.#prepared;
    if (prepared === null || prepared.generation !== generation || this.#isQuitting) return;
    this.#prepared = null;
    try {
      if (this.#generation === 0) this.#host.dropPrivileges(prepared.config.user);
    } catch (error) {
      this.#parts.log.write('emerg', asText(error));
      return this.#host.exit(FATAL_EXIT_CODE);
    }
    prepared.config.activate();
    this.#parts.logFiles.commit();
    this.#generation = generation;
    this.#shutdownTimeoutMs = prepared.config.shutdownTimeoutMs;

    const wanted = new Set(prepared.config.listens.map(listenKey));
    for (const [key, socket] of this.#sockets) {
      if (wanted.has(key)) continue;
      this.#stopAccepting(socket);
      this.#sockets.delete(key);
    }
    for (const address of prepared.config.listens) this.#followBacklog(address);
    const failure = await this.#acceptAll();
    if (failure === null) this.#host.send({ type: 'swapped', generation });
    else this.#host.send({ type: 'swap-failed', generation, text: failure });
    this.#counterTimer ??= setInterval(() => this.#sendCounters(), COUNTERS_EVERY_MS).unref();
  }

  /** nginx's text of the first failure; null: all listen. */
  async #acceptAll(): Promise<string | null> {
    for (const socket of this.#sockets.values()) {
      if (socket.isAccepting) continue;
      const { address, handle } = socket;
      try {
        await this.#parts.runtime.accept(address, handle);
        socket.isAccepting = true;
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? String(error);
        return `listen() to ${address.text}, backlog ${address.backlog} failed (${strerror(code)})`;
      }
    }
    return null;
  }

  #abandon(generation: number): void {
    if (this.#prepared?.generation !== generation) return;
    this.#prepared = null;
    this.#parts.logFiles.abandon();
  }

  /** The one option of an open socket that a reload changes. */
  #followBacklog(address: ListenAddress): void {
    const socket = this.#sockets.get(listenKey(address));
    if (socket === undefined || socket.address.backlog === address.backlog) return;
    socket.address = address;
    if (socket.isAccepting) this.#parts.runtime.setBacklog(address);
  }

  #stopAccepting(socket: OpenSocket): void {
    if (socket.isAccepting) this.#parts.runtime.stopAccepting(socket.address.text);
    socket.isAccepting = false;
  }

  #stats(isFull: boolean): WorkerStats {
    return {
      pid: process.pid,
      counters: [...this.#parts.counters.values],
      upstreams: isFull ? this.#parts.runtime.upstreamStats() : null,
    };
  }

  #sendCounters(): void {
    const counters = [...this.#parts.counters.values];
    const sum = counters.reduce((total, value) => total + value, 0);
    if (sum === this.#sentSum) return;
    this.#sentSum = sum;
    this.#host.send({ type: 'counters', counters });
  }
}

async function withTimeout(work: Promise<void>, timeoutMs: number): Promise<void> {
  if (timeoutMs === 0) return work;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}

function asText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
