import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { within } from './deadline.ts';
import type { ServiceUser } from './service-user.ts';

const START_MS = 30_000;
const STOP_MS = 20_000;

/** Nothing outlives the tests, also when they end early. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface ServiceCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly user: ServiceUser;
  /** It serves once its output has this. */
  readonly isReady: RegExp;
}

/** A server in a process of its own, known by its pid. */
export class ServiceProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #output = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = once(child, 'exit');
    running.add(child);
    child.once('exit', () => running.delete(child));
  }

  /** Resolves when it serves; rejects with what it said when it ends before. */
  static async start({ program, args, user, isReady }: ServiceCommand): Promise<ServiceProcess> {
    const child = spawn(program, args, {
      ...user,
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8' },
    });
    const service = new ServiceProcess(child);
    const ready = new Promise<void>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          // Bounded: a server that complains for hours must not fill the memory of the tests.
          service.#output = (service.#output + text).slice(-100_000);
          if (isReady.test(service.#output)) resolve();
        });
      }
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`${program} ended with ${code}:\n${service.#output}`)));
    });
    try {
      await within(ready, START_MS, `${program} ${args.join(' ')} to serve`);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
    return service;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get output(): string {
    return this.#output;
  }

  /** Sends a signal to this process alone. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves when it has ended. A stopped one (SIGSTOP) is let run first, as it could not obey. */
  async stop(signal: NodeJS.Signals): Promise<void> {
    if (!this.isRunning) return;
    this.#child.kill(signal);
    this.#child.kill('SIGCONT');
    try {
      await within(this.#exited, STOP_MS, `pid ${this.pid} to end on ${signal}`);
    } catch {
      this.#child.kill('SIGKILL');
      await this.#exited;
    }
  }
}
