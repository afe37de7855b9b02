import type { ListenHandle } from '../net/listen-address.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import type { WorkerExit, WorkerLink } from './worker-link.ts';

/** What can come of a step that a worker was asked for. */
export type StepResult =
  | { readonly outcome: 'done' }
  | { readonly outcome: 'refused'; readonly findings: readonly string[] }
  /** The worker ended before it answered. */
  | { readonly outcome: 'gone' };

/** Compiling the largest configurations takes seconds on a busy machine. */
const PATIENCE_MS = 60_000;

/** One worker in the primary's list: which sockets it has, what it is asked for. */
export class WorkerSlot {
  /** Place in the list; with `reuseport` also which socket is its own. */
  readonly slot: number;
  readonly link: WorkerLink;
  /** Told to leave: not replaced when it ends. */
  isLeaving = false;
  exit: WorkerExit | null = null;
  readonly exited: Promise<WorkerExit>;
  /** Last counters that it told. */
  counters: readonly number[] = [];
  readonly #sockets = new Set<string>();
  #waiting: ((result: StepResult) => void) | null = null;

  constructor(slot: number, link: WorkerLink) {
    this.slot = slot;
    this.link = link;
    this.exited = new Promise((resolve) => {
      link.once('exit', (exit) => {
        this.exit = exit;
        this.#settle({ outcome: 'gone' });
        resolve(exit);
      });
    });
  }

  get pid(): number {
    return this.link.pid;
  }

  /** Gives it a socket that it does not have yet. */
  giveSocket(key: string, message: Extract<ToWorker, { type: 'socket' }>, handle: ListenHandle): void {
    if (this.#sockets.has(key)) return;
    this.#sockets.add(key);
    this.link.send(message, handle);
  }

  /** The configuration no longer names these: the worker closed them by itself. */
  keepSockets(keys: ReadonlySet<string>): void {
    for (const key of this.#sockets) if (!keys.has(key)) this.#sockets.delete(key);
  }

  /** Sends a step (`prepare`, `swap`) and waits for its answer. */
  ask(message: ToWorker): Promise<StepResult> {
    if (this.exit !== null) return Promise.resolve({ outcome: 'gone' });
    return new Promise((resolve) => {
      // One that does not answer must not hold up all others for ever: its end is the answer.
      const timer = setTimeout(() => this.link.kill('SIGKILL'), PATIENCE_MS);
      this.#waiting = (result) => {
        clearTimeout(timer);
        resolve(result);
      };
      this.link.send(message);
    });
  }

  /** Takes answers to steps; false: another kind of message. */
  takeAnswer(message: FromWorker): boolean {
    switch (message.type) {
      case 'prepared':
      case 'swapped':
        this.#settle({ outcome: 'done' });
        return true;
      case 'refused':
        this.#settle({ outcome: 'refused', findings: message.findings });
        return true;
      case 'swap-failed':
        this.#settle({ outcome: 'refused', findings: [message.text] });
        return true;
      default:
        return false;
    }
  }

  #settle(result: StepResult): void {
    const resolve = this.#waiting;
    this.#waiting = null;
    resolve?.(result);
  }
}
