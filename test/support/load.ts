import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { poll } from './deadline.ts';
import { headerOf, readMessage, statusOf } from './http-message.ts';

export interface LoadOptions {
  readonly port: number;
  readonly connections: number;
  /** Mean pause of a connection between an answer and its next request: what bounds the rate. */
  readonly pauseMs: number;
  /** Every so many-th request of a connection is a POST with a small body; 0 = none. */
  readonly postEvery: number;
}

/** What became of one request. */
export interface Outcome {
  readonly id: string;
  readonly method: 'GET' | 'POST';
  /** 0: no answer. */
  readonly status: number;
  readonly body: string;
  /** The answer came whole. */
  readonly isComplete: boolean;
  /** A byte of the answer came. */
  readonly hasBegun: boolean;
  /** Error's code, `closed` for a FIN; '' = an answer came. */
  readonly failure: string;
  /** `X-Worker` of the answer, or of the last one before it on this connection; '' = unknown. */
  readonly worker: string;
  readonly endedAtMs: number;
}

interface Reading {
  readonly socket: Socket;
  bytes: string;
  /** '' while it is open. */
  end: string;
  wake: () => void;
}

const PATIENCE_MS = 10_000;

/**
 * A small load on keep-alive connections: each sends, waits for the answer, pauses, sends again; a lost one is made anew.
 * A connection that the server closes between two requests is no failure.
 */
export class Load {
  readonly outcomes: Outcome[] = [];
  readonly #options: LoadOptions;
  readonly #sockets = new Set<Socket>();
  readonly #loops: Promise<void>[];
  #lastId = 0;
  #isOver = false;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#loops = Array.from({ length: options.connections }, (_, index) =>
      // Not in step with each other.
      this.#loop(options.pauseMs * (0.5 + index / options.connections)),
    );
  }

  /** Waits for so many more outcomes. */
  async more(count: number, deadlineMs = 20_000): Promise<void> {
    const wanted = this.outcomes.length + count;
    const isThere = await poll(() => (this.outcomes.length >= wanted ? true : undefined), deadlineMs);
    if (isThere === undefined) throw new Error(`${this.outcomes.length} outcomes instead of ${wanted}`);
  }

  /** Waits for an outcome after now that `isWanted`. */
  async until(isWanted: (outcome: Outcome) => boolean, deadlineMs = 20_000): Promise<Outcome> {
    let from = this.outcomes.length;
    const found = await poll(() => {
      const one = this.outcomes.slice(from).find(isWanted);
      from = this.outcomes.length;
      return one;
    }, deadlineMs);
    if (found === undefined) throw new Error(`no such outcome within ${deadlineMs} ms`);
    return found;
  }

  /** Lets the requests under way end, then closes all. */
  async stop(): Promise<readonly Outcome[]> {
    this.#isOver = true;
    await Promise.all(this.#loops);
    for (const socket of this.#sockets) socket.destroy();
    return this.outcomes;
  }

  async #loop(pauseMs: number): Promise<void> {
    const { postEvery } = this.#options;
    await sleep(pauseMs);
    let reading: Reading | null = null;
    let worker = '';
    for (let nth = 1; !this.#isOver; nth++) {
      const method = postEvery > 0 && nth % postEvery === 0 ? 'POST' : 'GET';
      if (reading === null || reading.end !== '') {
        worker = '';
        reading = await this.#connect();
      }
      const id = String(++this.#lastId);
      const outcome = await this.#ask(reading, method, id, worker);
      worker = outcome.worker;
      this.outcomes.push(outcome);
      if (outcome.failure !== '' || !outcome.isComplete) {
        reading.socket.destroy();
        reading = null;
      }
      await sleep(pauseMs);
    }
  }

  #connect(): Promise<Reading> {
    const socket = connect({ port: this.#options.port, host: '127.0.0.1', noDelay: true });
    const reading: Reading = { socket, bytes: '', end: '', wake: () => undefined };
    this.#sockets.add(socket);
    socket.on('data', (chunk) => {
      reading.bytes += chunk.toString('latin1');
      reading.wake();
    });
    const ended = (how: string): void => {
      if (reading.end === '') reading.end = how;
      reading.wake();
    };
    socket.on('end', () => ended('closed'));
    socket.on('error', (error: NodeJS.ErrnoException) => ended(error.code ?? error.message));
    socket.on('close', () => {
      this.#sockets.delete(socket);
      ended('closed');
    });
    return new Promise((resolve) => {
      socket.once('connect', () => resolve(reading));
      socket.once('error', () => resolve(reading));
    });
  }

  async #ask(reading: Reading, method: 'GET' | 'POST', id: string, worker: string): Promise<Outcome> {
    const fields = `Host: t\r\nX-Id: ${id}\r\n`;
    reading.bytes = '';
    if (reading.end === '') {
      const body = method === 'POST' ? `Content-Length: 4\r\n\r\nbody` : '\r\n';
      reading.socket.write(`${method} /${id} HTTP/1.1\r\n${fields}${body}`);
    }
    const deadline = setTimeout(() => {
      if (reading.end === '') reading.end = 'no answer';
      reading.wake();
    }, PATIENCE_MS);
    let answer = readMessage(reading.bytes, 0, { isResponse: true, hasEnded: reading.end !== '' });
    while (answer === undefined && reading.end === '') {
      await new Promise<void>((resolve) => {
        reading.wake = resolve;
      });
      answer = readMessage(reading.bytes, 0, { isResponse: true, hasEnded: reading.end !== '' });
    }
    clearTimeout(deadline);
    if (headerOf(answer?.headers ?? [], 'connection') === 'close' && reading.end === '') reading.end = 'closed';
    return {
      id,
      method,
      status: statusOf(answer?.startLine ?? ''),
      body: answer?.body ?? '',
      isComplete: answer?.isComplete ?? false,
      hasBegun: reading.bytes !== '',
      failure: answer?.isComplete === true ? '' : reading.end,
      worker: headerOf(answer?.headers ?? [], 'x-worker') ?? worker,
      endedAtMs: performance.now(),
    };
  }
}

/** How often each kind of outcome came: `GET 200 b`, `POST 502`, `GET broken off`. */
export function tally(outcomes: readonly Outcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { method, status, isComplete, hasBegun, failure, body } of outcomes) {
    const what = isComplete ? `${status}${status === 200 ? ` ${body}` : ''}` : hasBegun ? 'broken off' : failure;
    counts[`${method} ${what}`] = (counts[`${method} ${what}`] ?? 0) + 1;
  }
  return counts;
}
