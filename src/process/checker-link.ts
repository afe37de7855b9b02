import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Log } from '../observe/error-log.ts';
import type { CheckReport } from '../probe/health-keeper.ts';
import type { ResolvedAddress } from '../upstream/resolved-names.ts';
import { isFromChecker, type ToChecker } from './checker-messages.ts';
import type { WorkerConfig } from './messages.ts';
import { RespawnDelay } from './respawn-delay.ts';
import { extraFlags, type ForkOptions } from './worker-link.ts';

export interface CheckerLinkInit {
  readonly log: Log;
  readonly onReport: (report: CheckReport) => void;
}

/**
 * The process that checks, as the primary sees it: there is one while the configuration has checks. One that ends is replaced; meanwhile
 * every peer stays what it was.
 */
export class CheckerLink {
  readonly #init: CheckerLinkInit;
  readonly #delay = new RespawnDelay();
  #child: ChildProcess | null = null;
  #timer: NodeJS.Timeout | undefined;
  #wanted: { readonly config: WorkerConfig; readonly fork: ForkOptions } | null = null;
  #hasReported = false;

  constructor(init: CheckerLinkInit) {
    this.#init = init;
  }

  /** Its process id; null: there is none at present. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** The configuration in force has checks. */
  check(config: WorkerConfig, fork: ForkOptions): void {
    this.#wanted = { config, fork };
    if (this.#child === null) this.#start();
    else this.#send({ type: 'config', config });
  }

  /** `config`: the one in force, which knows the name now. */
  nameResolved(name: string, addresses: readonly ResolvedAddress[], config: WorkerConfig): void {
    if (this.#wanted === null) return;
    this.#wanted = { ...this.#wanted, config };
    this.#send({ type: 'name', name, addresses });
  }

  /** There are no checks (any more). */
  stop(): void {
    this.#wanted = null;
    clearTimeout(this.#timer);
    const child = this.#child;
    this.#child = null;
    if (child === null) return;
    child.removeAllListeners('message');
    // It keeps nothing that would have to be put in order, and nobody waits for it.
    child.kill('SIGKILL');
  }

  #start(): void {
    clearTimeout(this.#timer);
    if (this.#wanted === null) return;
    const { config, fork: options } = this.#wanted;
    const child = fork(checkerProgram(), [...options.args], {
      env: { ...process.env, ...options.env },
      execArgv: [...process.execArgv, ...extraFlags()],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child = child;
    this.#hasReported = false;
    this.#init.log.write('notice', `start health check process ${child.pid}`);
    child.on('message', (message: unknown) => {
      if (!isFromChecker(message)) {
        this.#init.log.write('alert', `health check process ${child.pid} sent what is no message, killing it`);
        child.kill('SIGKILL');
        return;
      }
      if (message.type === 'fault') {
        this.#init.log.write('alert', `health check process ${child.pid}: ${message.text}`);
        return;
      }
      this.#hasReported = true;
      this.#init.onReport(message.report);
    });
    // It could not be started, or died with messages on their way: its exit tells.
    child.on('error', () => undefined);
    child.once('exit', (code, signal) => this.#ended(child, code, signal));
    this.#send({ type: 'config', config });
  }

  #ended(child: ChildProcess, code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#child !== child) return;
    this.#child = null;
    // As with workers: by TERM is what somebody asked for.
    const level = signal === 'SIGTERM' || signal === 'SIGINT' ? 'notice' : 'alert';
    this.#init.log.write(level, `health check process ${child.pid} ended: ${signal ?? `code ${code}`}`);
    const delayMs = Math.max(this.#delay.afterDeath(this.#hasReported), LEAST_DELAY_MS);
    this.#timer = setTimeout(() => this.#start(), delayMs).unref();
  }

  #send(message: ToChecker): void {
    if (this.#child?.connected === true) this.#child.send(message, () => undefined);
  }
}

/** One that dies of what it finds at a peer dies again. */
const LEAST_DELAY_MS = 100;

/** This file's neighbour, as source or compiled. */
function checkerProgram(): string {
  return fileURLToPath(new URL(`checker-main${extname(import.meta.filename)}`, import.meta.url));
}
