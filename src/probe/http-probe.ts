import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { Client, type Dispatcher } from 'undici';
import { nowMs } from '../core/clock.ts';
import { encrypt, type PeerTls } from '../net/tls-client.ts';
import { failed, type Probe, type ProbeResult, type ProbeTarget, passed, probeTargetText, timedOut } from './probe.ts';
import type { CheckedResponse, MatchVerdict } from './response-match.ts';
import { socketFailure } from './socket-failure.ts';

export interface HttpProbeOptions {
  /** Request target: `/health?deep=1`. */
  readonly uri: string;
  /** Fields of the request, `Host` among them; byte strings. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Null: in the clear. */
  readonly tls: PeerTls | null;
  /** Local address; null: the kernel's choice. */
  readonly localAddress: string | null;
  /** Beside the signal: for the connection with its handshake, and for the silence before and within the answer. */
  readonly connectTimeoutMs: number;
  readonly readTimeoutMs: number;
  /** How long one connection serves; 0 = for one look. */
  readonly keepaliveMs: number;
  /** The body is wanted, up to `MAX_BODY_BYTES`; else it is not waited for. */
  readonly readsBody: boolean;
  readonly match: (response: CheckedResponse) => MatchVerdict;
}

/** nginx Plus looks at so much of a body. */
export const MAX_BODY_BYTES = 256 * 1024;
const MAX_HEAD_BYTES = 64 * 1024;

/** undici writes these itself; what they would say of the connection is not for a field to decide. */
const UNDICI_OWN = ['connection', 'keep-alive', 'upgrade', 'transfer-encoding', 'content-length', 'expect', 'te'];

/** HTTP/1.1 GET through undici, over connections that nobody else uses. */
export function httpProbe(options: HttpProbeOptions): Probe {
  const headers = options.headers.filter(([name]) => !UNDICI_OWN.includes(name.toLowerCase())).flat();
  const kept = new Map<string, CheckClient>();
  let isClosed = false;
  return {
    async run(target, signal) {
      const place = probeTargetText(target);
      const old = kept.get(place);
      kept.delete(place);
      const isFit = old !== undefined && nowMs() - old.bornAtMs < options.keepaliveMs && !old.client.destroyed;
      if (!isFit) old?.destroy();
      const client = isFit ? old : new CheckClient(target, options);
      const result = await new Look(client, options, headers, signal).result;
      // A group may have the same address twice: one connection is enough.
      if (result.isPassed && options.keepaliveMs > 0 && !isClosed && !kept.has(place)) kept.set(place, client);
      else client.destroy();
      return result;
    },
    close() {
      isClosed = true;
      for (const client of kept.values()) client.destroy();
      kept.clear();
    },
  };
}

/** One connection's client, and how far its connecting has come. */
class CheckClient {
  readonly client: Client;
  readonly bornAtMs = nowMs();
  isHandshaking = false;
  #socket: Socket | null = null;

  constructor(target: ProbeTarget, options: HttpProbeOptions) {
    this.client = new Client(`http://${target.kind === 'tcp' ? probeTargetText(target) : 'localhost'}`, {
      pipelining: 1,
      maxHeaderSize: MAX_HEAD_BYTES,
      headersTimeout: options.readTimeoutMs,
      bodyTimeout: options.readTimeoutMs,
      keepAliveTimeout: Math.max(options.keepaliveMs, 1),
      keepAliveMaxTimeout: Math.max(options.keepaliveMs, 1),
      connect: (_where: object, done: (...result: [Error, null] | [null, Socket]) => void) => {
        this.#connect(target, options, done);
      },
    });
    // A kept connection that breaks between two looks concerns nobody.
    this.client.on('disconnect', () => undefined);
  }

  destroy(): void {
    this.#socket?.destroy();
    this.client.destroy().catch(() => undefined); // it is over either way
  }

  #connect(
    target: ProbeTarget,
    { tls, localAddress }: HttpProbeOptions,
    done: (...result: [Error, null] | [null, Socket]) => void,
  ): void {
    const place = target.kind === 'unix' ? { path: target.path } : { host: target.host, port: target.port };
    const bind = localAddress === null ? {} : { localAddress };
    const socket = connect({ ...place, ...bind, noDelay: true, autoSelectFamily: false } as NetConnectOpts);
    this.#socket = socket;
    this.isHandshaking = false;
    const onError = (error: Error): void => done(error, null);
    socket.once('error', onError);
    socket.once('connect', () => {
      socket.off('error', onError);
      if (tls === null) return done(null, socket);
      this.isHandshaking = true;
      encrypt(socket, tls, probeTargetText(target), (result) => {
        if (result instanceof Error) return done(result, null);
        this.isHandshaking = false;
        done(null, result);
      });
    });
  }
}

/** One request and what comes of it. */
class Look implements Dispatcher.DispatchHandler {
  readonly result: Promise<ProbeResult>;
  readonly #client: CheckClient;
  readonly #options: HttpProbeOptions;
  readonly #signal: AbortSignal;
  #settle: (result: ProbeResult) => void = () => undefined;
  #stage: 'connecting' | 'reading-head' | 'reading-body' = 'connecting';
  #connectTimer: NodeJS.Timeout | undefined;
  #status = 0;
  readonly #headers: [string, string][] = [];
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(client: CheckClient, options: HttpProbeOptions, headers: string[], signal: AbortSignal) {
    this.#client = client;
    this.#options = options;
    this.#signal = signal;
    this.result = new Promise((resolve) => {
      this.#settle = (result) => {
        clearTimeout(this.#connectTimer);
        signal.removeEventListener('abort', this.#onAbort);
        resolve(result);
      };
    });
    signal.addEventListener('abort', this.#onAbort, { once: true });
    if (signal.aborted) {
      this.#onAbort();
      return;
    }
    this.#connectTimer = setTimeout(() => this.#giveUp(), options.connectTimeoutMs);
    try {
      client.client.dispatch({ path: options.uri, method: 'GET', headers, reset: options.keepaliveMs === 0 }, this);
    } catch (error) {
      this.#settle(failed(this.#doing, socketFailure(error)));
    }
  }

  get #doing(): string {
    if (this.#stage === 'reading-head') return 'reading response header from upstream';
    if (this.#stage === 'reading-body') return 'reading upstream';
    return this.#client.isHandshaking ? 'SSL handshaking to upstream' : 'connecting to upstream';
  }

  readonly #onAbort = (): void => this.#giveUp();

  #giveUp(): void {
    this.#settle(timedOut(this.#doing));
    this.#client.destroy();
  }

  onRequestStart(): void {
    clearTimeout(this.#connectTimer);
    this.#stage = 'reading-head';
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (status < 200) return;
    this.#stage = 'reading-body';
    this.#status = status;
    const raw = (controller.rawHeaders ?? []) as Buffer[];
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const [name, value] = [raw[i], raw[i + 1]];
      if (name !== undefined && value !== undefined) {
        this.#headers.push([name.toString('latin1').toLowerCase(), value.toString('latin1')]);
      }
    }
    if (!this.#options.readsBody && this.#options.keepaliveMs === 0) this.#judge();
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const room = MAX_BODY_BYTES - this.#bytes;
    this.#bytes += chunk.length;
    if (room > 0) this.#chunks.push(Buffer.from(chunk.subarray(0, room)));
    if (this.#bytes < MAX_BODY_BYTES) return;
    this.#judge();
    // More than anybody asked for is not waited for.
    this.#client.destroy();
  }

  onResponseEnd(): void {
    this.#judge();
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    if (this.#signal.aborted || TIMEOUTS.includes((error as NodeJS.ErrnoException).code ?? '')) {
      return this.#settle(timedOut(this.#doing));
    }
    this.#settle(
      failed(this.#doing, UNDICI_WORDS[(error as NodeJS.ErrnoException).code ?? ''] ?? socketFailure(error)),
    );
  }

  #judge(): void {
    const body = Buffer.concat(this.#chunks).toString('latin1');
    const { doing, reason } = this.#options.match({ status: this.#status, headers: this.#headers, body });
    const facts = { status: this.#status };
    this.#settle(reason === '' ? passed(doing, facts) : failed(doing, reason, facts));
  }
}

const TIMEOUTS = ['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT'];
const UNDICI_WORDS: Readonly<Record<string, string>> = {
  UND_ERR_SOCKET: 'the connection was closed before the answer was whole',
  UND_ERR_HEADERS_OVERFLOW: `the response's head is longer than ${MAX_HEAD_BYTES} bytes`,
};
