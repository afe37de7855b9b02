import { ProxyError } from '../../src/core/errors.ts';
import type { TunnelEnd, TunnelSink } from '../../src/http/client-stream.ts';
import { knownHeaderIdOf } from '../../src/http/known-header.ts';
import type { UpstreamConnection, UpstreamRequest, UpstreamResponseSink } from '../../src/http/upstream-connection.ts';
import type { AcquireWaiter } from '../../src/upstream/acquire.ts';
import type { Peer } from '../../src/upstream/peer.ts';
import type { UpstreamGroup } from '../../src/upstream/upstream-group.ts';

/** A leased connection that remembers what it was sent and does what the test says. */
export class FakeConnection implements UpstreamConnection {
  readonly peer: Peer;
  readonly isReused: boolean;
  requests = 1;
  bytesReceived = 0;
  bytesSent = 0;
  isRequestSent = false;
  isOverlong = false;
  isReusable = true;
  isPaused = false;
  timeouts: readonly number[] = [];
  maxHeadBytes = 0;
  /** `METHOD target VERSION`, then `Name: value` lines. */
  request: readonly string[] = [];
  body = '';
  isBodyComplete = false;
  isFull = false;
  end: 'leased' | 'released' | 'destroyed' = 'leased';
  tunnel: TunnelSink | null = null;
  readonly sentTunnel: string[] = [];
  tunnelEnd: 'open' | 'ended' | 'destroyed' = 'open';
  #sink: UpstreamResponseSink | null = null;

  constructor(peer: Peer, isReused: boolean) {
    this.peer = peer;
    this.isReused = isReused;
  }

  setTimeouts(sendTimeoutMs: number, readTimeoutMs: number): void {
    this.timeouts = [sendTimeoutMs, readTimeoutMs];
  }

  setMaxHeadBytes(bytes: number): void {
    this.maxHeadBytes = bytes;
  }

  sendRequest(request: UpstreamRequest, body: Uint8Array | null, isLast: boolean, sink: UpstreamResponseSink): boolean {
    this.isRequestSent = true;
    this.#sink = sink;
    sink.responseHead.reset();
    const lines = [`${request.method} ${request.target} ${request.version / 10}`];
    for (let i = 0; i < request.added.length; i += 2) lines.push(`${request.added[i]}: ${request.added[i + 1]}`);
    const { passed, skip } = request;
    for (let i = 0; passed !== null && i < passed.count; i++) {
      if (skip[i] === 0) lines.push(`${passed.name(i)}: ${passed.value(i)}`);
    }
    this.request = lines;
    return body === null ? this.#sent(isLast) : this.sendBody(body, isLast);
  }

  sendBody(chunk: Uint8Array, isLast: boolean): boolean {
    this.body += Buffer.from(chunk).toString('latin1');
    return this.#sent(isLast);
  }

  pauseResponse(): void {
    this.isPaused = true;
  }

  resumeResponse(): void {
    this.isPaused = false;
  }

  detachResponse(): boolean {
    return true;
  }

  openTunnel(tunnel: TunnelSink): TunnelEnd {
    this.tunnel = tunnel;
    return {
      write: (chunk) => {
        this.sentTunnel.push(Buffer.from(chunk).toString('latin1'));
        return !this.isFull;
      },
      pause: () => this.pauseResponse(),
      resume: () => this.resumeResponse(),
      end: () => {
        this.tunnelEnd = 'ended';
      },
      destroy: () => this.destroy(),
    };
  }

  release(): void {
    this.#finish('released');
  }

  destroy(): void {
    if (this.end === 'leased') this.#finish('destroyed');
  }

  // --- what the peer does

  /** A head, and the whole body when there is one. */
  respond(status: number, fields: readonly string[] = [], body = ''): void {
    this.head(status, [...fields, `Content-Length: ${body.length}`], body.length);
    if (body !== '') this.data(body);
    if (this.end === 'leased') this.#sink?.onResponseEnd(null);
  }

  head(status: number, fields: readonly string[] = [], contentLength = -1): void {
    const sink = this.#sink as UpstreamResponseSink;
    const head = sink.responseHead;
    const text = fields.map((field) => `${field}\r\n`).join('');
    head.storage = Buffer.from(text, 'latin1');
    head.headers.reset(head.storage);
    let at = 0;
    for (const field of fields) {
      const colon = field.indexOf(':');
      head.headers.add(at, at + colon, at + colon + 2, at + field.length, knownHeaderIdOf(field.slice(0, colon)));
      at += field.length + 2;
    }
    head.status = status;
    head.statusLine = `${status} Fake`;
    head.contentLength = contentLength;
    head.framing = contentLength >= 0 ? 'length' : 'chunked';
    this.bytesReceived += text.length + 20;
    if (status < 200 && status !== 101) sink.onInformational(head);
    else sink.onResponseHead(head);
  }

  data(text: string): void {
    this.bytesReceived += text.length;
    this.#sink?.onResponseData(Buffer.from(text, 'latin1'));
  }

  finish(): void {
    this.#sink?.onResponseEnd(null);
  }

  fail(code: ProxyError['code'], text: string, status = 502): void {
    const sink = this.#sink;
    this.destroy();
    sink?.onUpstreamError(new ProxyError(code, text, { side: 'upstream', status }));
  }

  writable(): void {
    this.isFull = false;
    this.#sink?.onRequestWritable();
  }

  #sent(isLast: boolean): boolean {
    this.isBodyComplete = isLast;
    return !this.isFull;
  }

  #finish(how: 'released' | 'destroyed'): void {
    if (this.end !== 'leased') throw new Error(`${how} after it was ${this.end}`);
    this.end = how;
  }
}

/** How connecting ends, in the order of the attempts; what is not said is 'ok'. */
export type ConnectScript = 'ok' | 'reused' | 'refused' | 'timeout' | 'pending';

/** Connections to peers as the script says, settled before `acquire` returns. */
export class FakeConnections {
  readonly leases: FakeConnection[] = [];
  /** `address` of each attempt, ` fresh` behind those that may not use an idle connection. */
  readonly asked: string[] = [];
  cancelled = 0;
  /** Connecting that has not been settled: what the waiter is to be told. */
  settle: ((how: 'ok' | 'refused' | 'timeout') => void) | null = null;
  #script: ConnectScript[];

  constructor(script: readonly ConnectScript[] = []) {
    this.#script = [...script];
  }

  get last(): FakeConnection {
    const last = this.leases.at(-1);
    if (last === undefined) throw new Error('no connection was made');
    return last;
  }

  acquire(_group: UpstreamGroup, peer: Peer, _options: unknown, isFresh: boolean, waiter: AcquireWaiter) {
    this.asked.push(peer.addressText + (isFresh ? ' fresh' : ''));
    const step = this.#script.shift() ?? 'ok';
    if (step !== 'pending') {
      this.#settle(step, peer, waiter);
      return null;
    }
    this.settle = (how) => {
      this.settle = null;
      this.#settle(how, peer, waiter);
    };
    return {
      cancel: () => {
        this.settle = null;
        this.cancelled++;
      },
    };
  }

  #settle(how: Exclude<ConnectScript, 'pending'>, peer: Peer, waiter: AcquireWaiter): void {
    if (how === 'refused') {
      const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
      const text = 'connect() failed (111: Connection refused)';
      waiter.onConnectError(new ProxyError('connect-failed', text, { side: 'upstream', status: 502, cause }));
    } else if (how === 'timeout') {
      const text = 'upstream timed out (110: Connection timed out)';
      waiter.onConnectError(new ProxyError('connect-timeout', text, { side: 'upstream', status: 504 }));
    } else {
      const connection = new FakeConnection(peer, how === 'reused');
      this.leases.push(connection);
      waiter.onConnected(connection);
    }
  }
}
