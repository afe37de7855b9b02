import { type ChildProcess, fork } from 'node:child_process';
import { createServer } from 'node:net';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { strerror } from '../core/strerror.ts';
import { writeStderr, writeStdout } from '../observe/stderr.ts';
import { textSource } from '../process/config-source.ts';
import { run } from '../process/run.ts';
import { serveConf } from './serve-conf.ts';
import { UsageError } from './usage-error.ts';

export interface DemoOptions {
  readonly port: number;
  readonly statusPort: number;
}

const BACKENDS = ['backend-1', 'backend-2', 'backend-3'];
/** A backend that was killed comes back after this, so that the recovery can be watched too. */
const COMES_BACK_MS = 20_000;

/** `evenkeel demo`: backends as child processes, the balancer in front, and what to try. Resolves the exit code. */
export async function demo(options: DemoOptions): Promise<number> {
  const { port, statusPort } = options;
  if (port === statusPort) throw new UsageError(`--port and --status-port are both ${port}; they must differ`);
  const refused = (await whyNot('--port', port, '0.0.0.0')) ?? (await whyNot('--status-port', statusPort, '127.0.0.1'));
  if (refused !== null) {
    writeStderr(`evenkeel: ${refused}\n`);
    return 1;
  }
  const backends = await Promise.all(BACKENDS.map((name) => DemoBackend.start(name)));
  try {
    const text = serveConf({
      listen: [String(options.port)],
      backend: backends.map((backend) => `127.0.0.1:${backend.port}`),
      algorithm: 'round_robin',
      hashKey: '',
      maxFails: 1,
      failTimeout: '5s',
      nextUpstream: ['error', 'timeout', 'http_502', 'http_503', 'http_504'],
      tries: 3,
      triesTimeout: '15s',
      connectTimeout: '2s',
      readTimeout: '3s',
      keepalive: 32,
      workers: '2',
      status: `127.0.0.1:${options.statusPort}`,
      accessLog: 'off',
      errorLog: 'stderr',
    });
    const source = textSource(text, 'evenkeel demo', `${process.cwd()}/`);
    const onReady = (): void => writeStdout(whatToTry(options, backends));
    return await run({ source, defaultErrorLog: 'stderr', title: 'evenkeel', onReady });
  } finally {
    for (const backend of backends) backend.stop();
  }
}

function whatToTry({ port, statusPort }: DemoOptions, backends: readonly DemoBackend[]): string {
  const [first, second] = backends;
  return `
evenkeel balances http://localhost:${port} over ${backends.length} backends:
${backends.map((backend) => `  ${backend.name}   127.0.0.1:${backend.port}   pid ${backend.pid}`).join('\n')}

Try, in another terminal:
  for i in 1 2 3 4 5 6; do curl -s http://localhost:${port}/; done
      each backend in turn
  kill -9 ${first?.pid}
      ${first?.name} is gone: run the loop again, no request fails
  for i in 1 2 3; do curl -s 'http://localhost:${port}/?fail=${second?.name}'; done
      ${second?.name} answers these with 503, so the next one is asked
  kill -STOP ${second?.pid}; for i in 1 2 3 4; do curl -s http://localhost:${port}/; done; kill -CONT ${second?.pid}
      ${second?.name} hangs: the request that meets it is answered by another one after 3 s
  curl -s http://localhost:${statusPort}/lb_status
      who is up, who failed, how often (http://localhost:${statusPort}/stub_status is nginx's own page)

A backend that was killed comes back after ${COMES_BACK_MS / 1000} s. Ctrl-C ends everything.

`;
}

/** One backend in a process of its own; started again on the same port when somebody kills it. */
class DemoBackend {
  readonly name: string;
  port = 0;
  #child: ChildProcess;
  #isStopped = false;
  #timer: NodeJS.Timeout | null = null;

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
  }

  static async start(name: string): Promise<DemoBackend> {
    const backend = new DemoBackend(name, spawnBackend(name, 0));
    await backend.#watch();
    return backend;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#child.kill('SIGKILL');
  }

  /** Resolves when it listens. */
  #watch(): Promise<void> {
    const child = this.#child;
    child.once('exit', () => {
      if (this.#isStopped) return;
      writeStdout(`${this.name} ended; it comes back in ${COMES_BACK_MS / 1000} s\n`);
      this.#timer = setTimeout(() => {
        this.#child = spawnBackend(this.name, this.port);
        this.#watch().then(
          () => writeStdout(`${this.name} is back, pid ${this.pid}\n`),
          (error: Error) => writeStderr(`${this.name}: ${error.message}\n`),
        );
      }, COMES_BACK_MS);
    });
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('message', (port) => {
        this.port = Number(port);
        resolve();
      });
    });
  }
}

function spawnBackend(name: string, port: number): ChildProcess {
  const program = fileURLToPath(new URL(`demo-backend${extname(import.meta.filename)}`, import.meta.url));
  return fork(program, [name, String(port)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
}

/** Why the port can't be had, and what to do about it; null: it can. */
function whyNot(flag: string, port: number, host: string): Promise<string | null> {
  // By npm the flag stands behind a `--`.
  const way = process.env['npm_lifecycle_event'] === 'start' ? `npm start -- ${flag}` : flag;
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', ({ code = '' }: NodeJS.ErrnoException) => {
      const why = code === 'EADDRINUSE' ? 'is taken' : `can't be opened (${strerror(code)})`;
      resolve(`port ${port} ${why}; choose another one with ${way} PORT`);
    });
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(null)));
  });
}
