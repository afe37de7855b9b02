import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { poll, within } from './deadline.ts';
import { EVENKEEL, type Program } from './program.ts';
import { tempFolder } from './temp-folder.ts';

export interface ProxyOptions {
  /** The configuration's text, or a function of the prefix directory. Without a `pid` directive, `pid nginx.pid;` is put in front. */
  readonly conf: string | ((prefix: string) => string);
  /** Default: evenkeel from its sources. */
  readonly program?: Program;
  /** More files in the prefix directory: relative path -> text. */
  readonly files?: Readonly<Record<string, string>>;
  /** Value of `-g`. Default `daemon off;`. */
  readonly globals?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Longest wait for the pid file. Default 10 s. */
  readonly startDeadlineMs?: number;
}

export interface ProxyExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Processes that are still up; a test run that ends early takes them along. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A fresh prefix directory under the system's temporary one, readable and writable by the workers' user. */
export function makePrefix(name: string): string {
  const prefix = tempFolder(name);
  chmodSync(prefix, 0o777);
  return prefix;
}

/** One running nginx or evenkeel with its prefix directory. `stop()` it in every case, also when the test failed. */
export class RunningProxy {
  readonly program: Program;
  readonly prefix: string;
  readonly exited: Promise<ProxyExit>;
  readonly #child: ChildProcess;
  #exit: ProxyExit | undefined;
  #stderr = '';

  constructor(program: Program, prefix: string, child: ChildProcess) {
    this.program = program;
    this.prefix = prefix;
    this.#child = child;
    running.add(child);
    child.stderr?.setEncoding('latin1').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.exited = new Promise((resolve) => {
      const done = (code: number | null, signal: NodeJS.Signals | null) => {
        running.delete(child);
        this.#exit = { code, signal };
        resolve(this.#exit);
      };
      child.once('exit', done);
      child.once('error', (error) => {
        this.#stderr += `${error.message}\n`;
        done(null, null);
      });
    });
  }

  /** The primary's pid. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get hasExited(): boolean {
    return this.#exit !== undefined;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get pidFile(): string {
    return join(this.prefix, 'nginx.pid');
  }

  /** A file of the prefix directory as latin1 text, '' when it does not exist. */
  read(path: string): string {
    const file = join(this.prefix, path);
    return existsSync(file) ? readFileSync(file, 'latin1') : '';
  }

  errorLog(): string {
    return this.read('error.log');
  }

  /** Signals the primary, and only it. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Writes a new configuration over the old one; HUP makes it known. */
  rewriteConf(conf: string): void {
    writeFileSync(join(this.prefix, 'nginx.conf'), withPid(conf), 'latin1');
  }

  /** TERM (or the given signal), KILL after 5 s; then the directory goes. Fails when it had to be killed. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<ProxyExit> {
    try {
      if (!this.hasExited) this.signal(signal);
      return await within(this.exited, 5000, `${this.program.name} ${this.pid} after ${signal}`);
    } finally {
      if (!this.hasExited) {
        this.#child.kill('SIGKILL');
        await this.exited;
      }
      rmSync(this.prefix, { recursive: true, force: true });
    }
  }
}

/** Starts a proxy in a fresh prefix directory and returns once its pid file is there. Fails with all that it said when it ends before. */
export async function startProxy(options: ProxyOptions): Promise<RunningProxy> {
  const program = options.program ?? EVENKEEL;
  const prefix = makePrefix('proxy'); // of one length for every program, as it shows in texts whose length is seen
  const conf = typeof options.conf === 'function' ? options.conf(prefix) : options.conf;
  for (const [path, text] of Object.entries({ ...options.files, 'nginx.conf': withPid(conf) })) {
    mkdirSync(dirname(join(prefix, path)), { recursive: true });
    writeFileSync(join(prefix, path), text, 'latin1');
  }

  const [executable, ...before] = program.command;
  const args = ['-p', `${prefix}/`, '-c', 'nginx.conf', '-e', 'error.log', '-g', options.globals ?? 'daemon off;'];
  const child = spawn(executable, [...before, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...options.env },
  });
  const proxy = new RunningProxy(program, prefix, child);

  const deadlineMs = options.startDeadlineMs ?? 30_000;
  const outcome = await poll(() => startOutcome(proxy), deadlineMs);
  if (outcome === 'listening') return proxy;

  const said = `stderr:\n${proxy.stderr}\nerror.log:\n${proxy.errorLog()}`;
  const exit = proxy.hasExited ? await proxy.exited : undefined;
  await proxy.stop().catch(() => undefined); // the failed start is what gets reported
  const why = exit === undefined ? `no pid file within ${deadlineMs} ms` : `exit ${exit.code ?? exit.signal}`;
  throw new Error(`${program.name} did not start: ${why}\n${said}\nconfiguration:\n${withPid(conf)}`);
}

function startOutcome(proxy: RunningProxy): 'listening' | 'ended' | undefined {
  if (proxy.read('nginx.pid').trim() !== '') return 'listening';
  return proxy.hasExited ? 'ended' : undefined;
}

function withPid(conf: string): string {
  return /^\s*pid\s/m.test(conf) ? conf : `pid nginx.pid;\n${conf}`;
}
