import { turnMs } from '../core/clock.ts';
import type { Deadlined, Deadlines } from '../core/deadlines.ts';
import type { ProxyError } from '../core/errors.ts';
import { H2UpstreamSession } from '../h2/upstream-session.ts';
import { type Connecting, type ConnectOptions, type ConnectTarget, connectSocketOf } from '../net/connector.ts';
import { type AcquireWaiter, asProxyError, connectError } from './connect-error.ts';

const TIMED_OUT = 'upstream timed out (110: Connection timed out)';
const NO_HTTP2 = 'upstream does not speak HTTP/2';

/**
 * A session under way: connect(2), TLS, SETTINGS. All who want one like it wait for it together; who comes first after that is the owner's
 * business. It ends when nobody waits any more.
 */
export class SessionAttempt {
  readonly waits = new Set<SessionWait>();
  readonly #deadlines: Deadlines;
  readonly #onReady: (session: H2UpstreamSession, waits: readonly SessionWait[]) => void;
  readonly #onOver: () => void;
  #connecting: Connecting | null = null;
  #session: H2UpstreamSession | null = null;

  /** `onOver`: nobody may join any more. `onReady` follows it when there is a session. */
  constructor(
    deadlines: Deadlines,
    onReady: (session: H2UpstreamSession, waits: readonly SessionWait[]) => void,
    onOver: () => void,
  ) {
    this.#deadlines = deadlines;
    this.#onReady = onReady;
    this.#onOver = onOver;
  }

  start(target: ConnectTarget, options: ConnectOptions): void {
    this.#connecting = connectSocketOf(target, options, {
      onHandshake: () => {
        for (const wait of [...this.waits]) wait.onHandshake();
      },
      onHandshakeError: (text) => {
        const isRefused = /no application protocol/i.test(text);
        this.#fail(connectError(isRefused ? `${NO_HTTP2}: ${text}` : text, 'handshake-failed', 502));
      },
      onConnectError: (error) => this.#fail(asProxyError(error, options)),
      onSocket: (socket) => {
        this.#connecting = null;
        if ('alpnProtocol' in socket && socket.alpnProtocol !== 'h2') {
          socket.destroy();
          return this.#fail(connectError(`${NO_HTTP2}: it chose no "h2" by ALPN`, 'handshake-failed', 502));
        }
        this.#session = new H2UpstreamSession(socket, options.tls === null ? 'http' : 'https', this.#deadlines, {
          onReady: (session) => this.#ready(session),
          onFailed: (error, isNoHttp2) =>
            this.#fail(
              isNoHttp2 ? connectError(`${NO_HTTP2}: ${error.message}`, 'handshake-failed', 502, error) : error,
            ),
        });
      },
    });
  }

  join(waiter: AcquireWaiter, timeoutMs: number): SessionWait {
    const wait = new SessionWait(this, waiter, this.#deadlines, timeoutMs);
    this.waits.add(wait);
    return wait;
  }

  leave(wait: SessionWait): void {
    if (!this.waits.delete(wait) || this.waits.size > 0) return;
    this.#onOver();
    this.#connecting?.cancel();
    this.#session?.destroy();
  }

  #ready(session: H2UpstreamSession): void {
    const waits = this.#takeWaits();
    this.#onOver();
    this.#onReady(session, waits);
  }

  #fail(error: ProxyError): void {
    const waits = this.#takeWaits();
    this.#onOver();
    for (const wait of waits) wait.fail(error);
  }

  #takeWaits(): SessionWait[] {
    const waits = [...this.waits];
    this.waits.clear();
    return waits;
  }
}

/** One request that waits for a session. */
export class SessionWait implements Connecting, Deadlined {
  deadlineAtMs = Number.POSITIVE_INFINITY;
  sweepIndex = -1;
  readonly waiter: AcquireWaiter;
  readonly timeoutMs: number;
  isOver = false;
  /** Given up after it was settled, by what another waiter did meanwhile. */
  isGivenUp = false;
  /** What it waits for since this session turned out to be full. */
  next: Connecting | null = null;
  readonly #attempt: SessionAttempt;
  readonly #deadlines: Deadlines;

  constructor(attempt: SessionAttempt, waiter: AcquireWaiter, deadlines: Deadlines, timeoutMs: number) {
    this.#attempt = attempt;
    this.waiter = waiter;
    this.timeoutMs = timeoutMs;
    this.#deadlines = deadlines;
    this.#watch();
  }

  onHandshake(): void {
    if (this.isOver) return;
    this.#watch();
    this.waiter.onHandshake();
  }

  fail(error: ProxyError): void {
    if (!this.settle()) return;
    this.waiter.onConnectError(error);
  }

  /** False: it was given up. Else the waiter is the caller's to call, once. */
  settle(): boolean {
    if (this.isOver) return false;
    this.isOver = true;
    this.#deadlines.remove(this);
    return true;
  }

  cancel(): void {
    if (this.settle()) this.#attempt.leave(this);
    else {
      this.isGivenUp = true;
      this.next?.cancel();
    }
  }

  onDeadline(): void {
    this.cancel();
    this.waiter.onConnectError(connectError(TIMED_OUT, 'connect-timeout', 504));
  }

  #watch(): void {
    if (this.timeoutMs > 0) this.#deadlines.set(this, turnMs() + this.timeoutMs);
  }
}
