import type { ListenHandle } from '../net/listen-address.ts';
import type { ToWorker } from './messages.ts';
import { Worker, type WorkerHost, type WorkerParts } from './worker.ts';
import { WorkerLink } from './worker-link.ts';

/** `master_process off`: the worker is a part of the primary's own process. */
export class InProcessLink extends WorkerLink {
  readonly isInProcess = true;
  readonly pid = process.pid;
  readonly #worker: Promise<Worker>;
  #hasExited = false;

  /** `makeParts` gets what the worker sends with. */
  constructor(makeParts: (host: WorkerHost) => Promise<WorkerParts>) {
    super();
    const host: WorkerHost = {
      send: (message) => queueMicrotask(() => this.emit('message', message)),
      exit: (code) => this.#exit(code),
      dropPrivileges: () => undefined, // the one process keeps its rights, as nginx without a master
    };
    this.#worker = makeParts(host).then((parts) => new Worker(host, parts));
  }

  send(message: ToWorker, handle?: ListenHandle): void {
    this.#worker
      .then((worker) => worker.receive(message, handle))
      .catch((error: unknown) => {
        setImmediate(() => {
          throw error;
        });
      });
  }

  kill(): void {
    this.#exit(0);
  }

  #exit(code: number): void {
    if (this.#hasExited) return;
    this.#hasExited = true;
    queueMicrotask(() => this.emit('exit', { code, signal: null }));
  }
}
