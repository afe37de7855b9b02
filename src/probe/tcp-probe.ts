import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { encrypt, type PeerTls } from '../net/tls-client.ts';
import { failed, type Probe, type ProbeResult, type ProbeTarget, passed, probeTargetText, timedOut } from './probe.ts';
import type { TextTest } from './response-match.ts';
import { socketFailure } from './socket-failure.ts';

export interface TcpProbeOptions {
  /** Null: in the clear. */
  readonly tls: PeerTls | null;
  readonly localAddress: string | null;
  readonly connectTimeoutMs: number;
  readonly readTimeoutMs: number;
  /** Bytes said first; '' = none. */
  readonly send: string;
  /** What is to come; a text counts wherever it stands. Null: to be connected is enough. */
  readonly expect: TextTest | null;
}

/** So much is read in search of what is expected. */
const MAX_BYTES = 256 * 1024;

/** A TCP connection, perhaps a few bytes sent, perhaps some expected back. */
export function tcpProbe(options: TcpProbeOptions): Probe {
  return { run: (target, signal) => new TcpLook(options, target, signal).result };
}

class TcpLook {
  readonly result: Promise<ProbeResult>;
  readonly #options: TcpProbeOptions;
  readonly #signal: AbortSignal;
  readonly #raw: Socket;
  #resolve: (result: ProbeResult) => void = () => undefined;
  #socket: Socket;
  #doing = 'connecting to upstream';
  #timer: NodeJS.Timeout | undefined;
  #seen = '';

  constructor(options: TcpProbeOptions, target: ProbeTarget, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.result = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    const place = target.kind === 'unix' ? { path: target.path } : { host: target.host, port: target.port };
    const bind = options.localAddress === null ? {} : { localAddress: options.localAddress };
    this.#raw = connect({ ...place, ...bind, noDelay: true, autoSelectFamily: false } as NetConnectOpts);
    this.#socket = this.#raw;
    this.#raw.on('error', this.#onError);
    this.#raw.once('connect', () => this.#connected(target));
    signal.addEventListener('abort', this.#onTimeout, { once: true });
    this.#wait(options.connectTimeoutMs);
    if (signal.aborted) this.#onTimeout();
  }

  #connected(target: ProbeTarget): void {
    const { tls } = this.#options;
    if (tls === null) return this.#begin(this.#raw);
    this.#doing = 'SSL handshaking to upstream';
    encrypt(this.#raw, tls, probeTargetText(target), (result) => {
      if (result instanceof Error) return this.#end(failed(this.#doing, result.message));
      result.on('error', this.#onError);
      this.#begin(result);
    });
  }

  #begin(socket: Socket): void {
    this.#socket = socket;
    const { send, expect, readTimeoutMs } = this.#options;
    if (send !== '') socket.write(Buffer.from(send, 'latin1'));
    if (expect === null) return this.#end(passed(this.#doing));
    this.#doing = 'waiting for the expected data';
    this.#wait(readTimeoutMs);
    socket.on('data', (chunk: Buffer) => {
      this.#seen += chunk.toString('latin1');
      if (isSeen(expect, this.#seen)) return this.#end(passed(this.#doing));
      if (this.#seen.length >= MAX_BYTES) this.#end(failed(this.#doing, `not within ${MAX_BYTES} bytes`));
    });
    socket.once('end', () => this.#end(failed(this.#doing, this.#unexpected)));
    socket.once('close', () => this.#end(failed(this.#doing, this.#unexpected)));
  }

  get #unexpected(): string {
    return this.#seen === '' ? 'the connection was closed without an answer' : 'what came was not expected';
  }

  readonly #onError = (error: Error): void => this.#end(failed(this.#doing, socketFailure(error)));

  readonly #onTimeout = (): void => {
    const isUnexpected = this.#seen !== '';
    this.#end(isUnexpected ? failed(this.#doing, this.#unexpected) : timedOut(this.#doing));
  };

  #wait(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#onTimeout, ms);
  }

  #end(result: ProbeResult): void {
    clearTimeout(this.#timer);
    this.#signal.removeEventListener('abort', this.#onTimeout);
    this.#resolve(result);
    this.#socket.destroySoon();
    this.#raw.destroySoon();
    // One that does not take its leave is not waited for.
    setImmediate(() => this.#raw.destroy());
  }
}

function isSeen({ wanted, isNegated }: TextTest, seen: string): boolean {
  return (typeof wanted === 'string' ? seen.includes(wanted) : wanted.test(seen)) !== isNegated;
}
