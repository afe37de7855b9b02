import type { Log } from '../observe/error-log.ts';
import type { Configuration } from './configuration.ts';
import { ConnectionSpans } from './connection-numbers.ts';
import { exitLine } from './exit-line.ts';
import { listenKey } from './listen-socket.ts';
import type { FromWorker } from './messages.ts';
import type { SocketSet } from './socket-set.ts';
import { FATAL_EXIT_CODE } from './worker.ts';
import type { WorkerExit, WorkerLink } from './worker-link.ts';
import { type StepResult, WorkerSlot } from './worker-slot.ts';

export interface PoolEvents {
  /** It has been started and is told all that it has to know. */
  onStart(worker: WorkerSlot): void;
  onMessage(worker: WorkerSlot, message: FromWorker): void;
  /** It ended and nobody asked it to. `hasServed`: it had come as far as to accept. */
  onDeath(worker: WorkerSlot, hasServed: boolean): void;
  /** Any end, asked for or not. */
  onEnd(worker: WorkerSlot): void;
}

/** KILL for a worker that does not leave on TERM. */
const TERM_PATIENCE_MS = 1000;

/** The workers: starts them, takes them through a change of configuration together, ends them. */
export class WorkerPool {
  readonly #log: Log;
  readonly #sockets: SocketSet;
  readonly #makeLink: (config: Configuration) => WorkerLink;
  readonly #events: PoolEvents;
  readonly #workers: (WorkerSlot | null)[] = [];
  readonly #leaving = new Set<WorkerSlot>();
  readonly #connectionSpans = new ConnectionSpans();

  constructor(log: Log, sockets: SocketSet, makeLink: (config: Configuration) => WorkerLink, events: PoolEvents) {
    this.#log = log;
    this.#sockets = sockets;
    this.#makeLink = makeLink;
    this.#events = events;
  }

  /** Those that serve or are about to; without those that are leaving. */
  get workers(): WorkerSlot[] {
    return this.#workers.filter((worker) => worker !== null);
  }

  /** All that have not ended yet. */
  get alive(): WorkerSlot[] {
    return [...this.workers, ...this.#leaving];
  }

  /** Starts a worker in a slot and takes it all the way to serving. */
  async start(slot: number, config: Configuration, generation: number): Promise<StepResult> {
    const link = this.#makeLink(config);
    const worker = new WorkerSlot(slot, link);
    this.#workers[slot] = worker;
    this.#log.write('notice', `start worker process ${worker.pid}`);
    let hasServed = false;
    link.on('message', (message) => {
      if (!worker.takeAnswer(message)) this.#events.onMessage(worker, message);
    });
    link.on('nonsense', () => {
      this.#log.write('alert', `worker process ${worker.pid} sent what is no message, killing it`);
      link.kill('SIGKILL');
    });
    link.once('exit', (exit) => this.#ended(worker, exit, hasServed));
    this.giveConnectionNumbers(worker);
    this.#events.onStart(worker);
    this.#giveSockets(worker);
    const prepared = await worker.ask({ type: 'prepare', generation, config: config.forWorkers });
    if (prepared.outcome !== 'done') return prepared;
    const swapped = await worker.ask({ type: 'swap', generation });
    hasServed = swapped.outcome === 'done';
    return swapped;
  }

  /** First half of a reload: everybody compiles. */
  async prepareAll(config: Configuration, generation: number): Promise<StepResult> {
    const results = await Promise.all(
      this.workers.map((worker) => worker.ask({ type: 'prepare', generation, config: config.forWorkers })),
    );
    return results.find((result) => result.outcome === 'refused') ?? { outcome: 'done' };
  }

  abandonAll(generation: number): void {
    for (const worker of this.workers) worker.link.send({ type: 'abandon', generation });
  }

  /** Second half: everybody swaps; the sockets in force are given before. Resolves the first failure to listen. */
  async swapAll(generation: number): Promise<StepResult> {
    const keys = new Set(this.#sockets.current().map((socket) => socket.key));
    const results = await Promise.all(
      this.workers.map((worker) => {
        worker.keepSockets(keys);
        this.#giveSockets(worker);
        return worker.ask({ type: 'swap', generation });
      }),
    );
    return results.find((result) => result.outcome === 'refused') ?? { outcome: 'done' };
  }

  /** Slots below `count` that have no worker. */
  emptySlots(count: number): number[] {
    return Array.from({ length: count }, (_, slot) => slot).filter((slot) => (this.#workers[slot] ?? null) === null);
  }

  /** Lets the workers of slot `count` and above go. `timeoutMs` 0: however long it takes. */
  quitFrom(count: number, timeoutMs: number): void {
    for (const worker of this.#workers.splice(count)) {
      if (worker === null) continue;
      this.#leave(worker);
      worker.link.send({ type: 'quit', timeoutMs });
    }
    for (const socket of this.#sockets.current()) socket.closeFrom(Math.max(count, 1));
  }

  /** TERM: everybody leaves at once; KILL for who does not. */
  stopAll(): void {
    for (const worker of this.#workers.splice(0)) if (worker !== null) this.#leave(worker);
    for (const worker of this.#leaving) {
      if (worker.link.isInProcess) worker.link.send({ type: 'stop' });
      else worker.link.kill('SIGTERM');
      const timer = setTimeout(() => worker.link.kill('SIGKILL'), TERM_PATIENCE_MS);
      worker.link.once('exit', () => clearTimeout(timer));
    }
  }

  async allEnded(): Promise<void> {
    await Promise.all(this.alive.map((worker) => worker.exited));
  }

  /** One worker ends before it served, by our own decision. */
  discard(worker: WorkerSlot): void {
    this.#workers[worker.slot] = null;
    this.#leave(worker);
    worker.link.kill('SIGKILL');
  }

  /** A worker that had closed a socket of its own accord takes it up again. */
  giveSocketAgain(worker: WorkerSlot, key: string): void {
    const socket = this.#sockets.current().find((candidate) => candidate.key === key);
    if (socket === undefined || worker.isLeaving) return;
    worker.link.send({ type: 'socket', address: socket.address }, socket.handleFor(worker.slot));
  }

  giveConnectionNumbers(worker: WorkerSlot): void {
    worker.link.send({ type: 'connection-numbers', first: this.#connectionSpans.take() });
  }

  #giveSockets(worker: WorkerSlot): void {
    for (const socket of this.#sockets.current()) {
      const { address } = socket;
      worker.giveSocket(listenKey(address), { type: 'socket', address }, socket.handleFor(worker.slot));
    }
  }

  #leave(worker: WorkerSlot): void {
    worker.isLeaving = true;
    this.#leaving.add(worker);
  }

  #ended(worker: WorkerSlot, exit: WorkerExit, hasServed: boolean): void {
    const { level, text } = exitLine(worker.pid, exit);
    this.#log.write(level, text);
    this.#leaving.delete(worker);
    if (this.#workers[worker.slot] === worker) this.#workers[worker.slot] = null;
    this.#events.onEnd(worker);
    const isFatal = exit.code === FATAL_EXIT_CODE && !hasServed;
    if (!worker.isLeaving && !isFatal) this.#events.onDeath(worker, hasServed);
  }
}
