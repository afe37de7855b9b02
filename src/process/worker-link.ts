import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ListenHandle } from '../net/listen-address.ts';
import { isFromWorker } from './from-worker.ts';
import type { FromWorker, ToWorker } from './messages.ts';

/** How a worker ended. */
export interface WorkerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

interface LinkEvents {
  message: [message: FromWorker];
  /** It said something that is no message. */
  nonsense: [];
  exit: [exit: WorkerExit];
}

/** A worker as the primary sees it: a process of its own, or (`master_process off`) a part of this one. */
export abstract class WorkerLink extends EventEmitter<LinkEvents> {
  abstract readonly pid: number;
  abstract readonly isInProcess: boolean;
  abstract send(message: ToWorker, handle?: ListenHandle): void;
  abstract kill(signal: NodeJS.Signals): void;
}

export interface ForkOptions {
  /** Added to the inherited environment. */
  readonly env: NodeJS.ProcessEnv;
  /** Argument of the worker's program. */
  readonly args: readonly string[];
}

/** A worker process over Node's IPC channel. */
export class ProcessLink extends WorkerLink {
  readonly isInProcess = false;
  readonly #child: ChildProcess;

  constructor(options: ForkOptions) {
    super();
    this.#child = fork(workerProgram(), [...options.args], {
      env: { ...process.env, ...options.env },
      execArgv: [...process.execArgv, ...extraFlags()],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (message: unknown) => {
      if (isFromWorker(message)) this.emit('message', message);
      else this.emit('nonsense');
    });
    this.#child.once('exit', (code, signal) => {
      const tell = (): void => void this.emit('exit', { code, signal });
      // Its last messages (counters) may still lie in the channel.
      if (this.#child.connected) this.#child.once('disconnect', tell);
      else tell();
    });
    // A worker that died with messages on their way: its exit tells all that there is to tell.
    this.#child.on('error', () => undefined);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  send(message: ToWorker, handle?: ListenHandle): void {
    if (!this.#child.connected) return;
    // `handle` is a raw TCP or Pipe handle: sent as it is, see listen-socket.ts.
    this.#child.send(message, handle as never, { keepOpen: true }, () => undefined);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

/** This file's neighbour, as source or compiled. */
function workerProgram(): string {
  return fileURLToPath(new URL(`worker-main${extname(import.meta.filename)}`, import.meta.url));
}

/** SIGUSR1 means "reopen the logs" here, also in the moment before our handler stands, when Node would open its debugger. */
export function extraFlags(): string[] {
  const flag = '--disable-sigusr1';
  return process.allowedNodeEnvironmentFlags.has(flag) && !process.execArgv.includes(flag) ? [flag] : [];
}
