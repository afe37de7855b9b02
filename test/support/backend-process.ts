import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Behaviour, FromBackend, ToBackend } from './backend-program.ts';
import { within } from './deadline.ts';
import { freePort } from './free-port.ts';
import { NODE } from './program.ts';

const PROGRAM = join(import.meta.dirname, 'backend-program.ts');

/** A backend in a process of its own, to be killed, stopped and brought back on the same port. `stop()` it in every case. */
export class BackendProcess {
  readonly name: string;
  readonly port: number;
  #child: ChildProcess | null = null;

  private constructor(name: string, port: number) {
    this.name = name;
    this.port = port;
  }

  static async start(name: string): Promise<BackendProcess> {
    const backend = new BackendProcess(name, await freePort());
    await backend.comeBack();
    return backend;
  }

  /** Starts the process again, after `kill`. */
  async comeBack(): Promise<void> {
    const child = fork(PROGRAM, [this.name, String(this.port)], { execPath: NODE, execArgv: [], stdio: 'ignore' });
    this.#child = child;
    await this.#hear('listening');
  }

  /** -9. Resolves when it is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal);
  }

  /** Resolves when it behaves so. `delayMs`: before each answer. */
  async behave(behaviour: Behaviour, delayMs = 0): Promise<void> {
    this.#tell({ type: 'behave', behaviour, delayMs });
    await this.#hear('behaving');
  }

  /** `X-Id` of the requests that it has seen since it started. */
  async seenIds(): Promise<readonly string[]> {
    this.#tell({ type: 'report' });
    return (await this.#hear('report')).ids;
  }

  stop(): Promise<void> {
    return this.kill();
  }

  #tell(message: ToBackend): void {
    this.#child?.send(message);
  }

  #hear<T extends FromBackend['type']>(type: T): Promise<Extract<FromBackend, { type: T }>> {
    const child = this.#child;
    const heard = new Promise<Extract<FromBackend, { type: T }>>((resolve, reject) => {
      const onMessage = (message: FromBackend): void => {
        if (message.type !== type) return;
        child?.off('message', onMessage);
        resolve(message as Extract<FromBackend, { type: T }>);
      };
      child?.on('message', onMessage);
      child?.once('error', reject);
    });
    return within(heard, 10_000, `${type} of backend ${this.name}`);
  }
}
