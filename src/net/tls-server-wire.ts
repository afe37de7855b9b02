import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket, type TLSSocket as Tls } from 'node:tls';
import { strerror } from '../core/strerror.ts';
import type { ClientTls, TlsMeans, VerifyFailure } from '../http/tls.ts';
import { intermediatesOf } from './certificate-chain.ts';
import { type ClientHello, NO_HELLO, readClientHello } from './client-hello.ts';
import { FastTlsWire } from './fast-tls-wire.ts';
import { chooseStapled, staple } from './ocsp/choose-stapled.ts';
import { opensslText } from './openssl-text.ts';
import { readByEvents, SocketWire } from './socket-wire.ts';
import { sessionIdOf } from './tls-session-id.ts';
import { keepSessions, loadSession, resumedId } from './tls-sessions/resume.ts';
import { verifyErrorOf } from './tls-verify-error.ts';
import { TOO_DEEP, verifyFailureOf } from './verify-failure.ts';
import { NO_SINK, type Wire, type WireSink } from './wire.ts';
import type { WriteResult } from './write-batch.ts';

/** What a handshake is made with. */
export interface TlsChoice {
  /** Null: the handshake is refused. */
  readonly means: TlsMeans | null;
  /** The client is asked for a certificate. */
  readonly asksForCertificate: boolean;
  readonly verifyDepth: number;
  readonly trustKey: string;
  /** HTTP/2 is offered. */
  readonly hasHttp2: boolean;
  /** Name of the server that was found by SNI; ''. */
  readonly foundName: string;
}

/** A handshake that failed: the close event's error. `message` is nginx's text. */
export class HandshakeError extends Error {
  override readonly name = 'HandshakeError';
}

const EMPTY = Buffer.alloc(0);
const SILENT = 'client closed connection';
const GONE = 'peer closed connection in SSL handshake';
const HANDSHAKE_RECORD = 0x16;
/** RFC 8446 section 5.1; and the least that OpenSSL takes. */
const MAX_RECORD_BYTES = 16_384;
const MIN_RECORD_BYTES = 512;
/** Fatal alert unrecognized_name, in a record. */
const UNRECOGNIZED_NAME = Buffer.from([0x15, 3, 3, 0, 2, 2, 112]);
/** What a server without HTTP/2 speaks, and one with it. */
const ALPN = ['http/1.1', 'http/1.0', 'http/0.9'];
const ALPN_WITH_HTTP2 = ['h2', ...ALPN];

/**
 * A client's connection to a TLS port: reads the hello, chooses a server by the name in it, lets OpenSSL make the handshake, and then is a
 * wire like any other. Before that its sink hears nothing but `onClose`.
 *
 * ```
 * first byte --- no TLS ------------------------------> plain (isEncrypted false; the request is answered with 497)
 *      \-------- hello whole --> choose --> handshake --> secure
 *                                   \            \------> closed (HandshakeError)
 *                                    \ refused: alert --> closed (HandshakeError)
 * ```
 * The hello is read here because its name decides more than a context: whether the client is asked for a certificate, and what is logged.
 */
export class TlsServerWire implements Wire, ClientTls {
  readonly remoteAddress: string;
  readonly remotePort: number;
  // Asked at once: the log names them also when the connection is gone.
  readonly localAddress: string;
  readonly localPort: number;
  isEncrypted = true;
  isHandshaking = true;
  requestedName = '';
  foundName = '';
  trustKey = '';
  isTrustChanged = false;
  offeredCiphers: readonly number[] = [];
  offeredGroups: readonly number[] = [];
  /** Where bytes go: the plain socket's wire, later the TLS socket's. */
  #inner: SocketWire;
  #sink: WireSink = NO_SINK;
  readonly #raw: Socket;
  readonly #choose: (serverName: string) => TlsChoice;
  readonly #isFast: boolean;
  #held: Buffer = EMPTY;
  #tls: Tls | null = null;
  #verifyDepth = 0;
  #asksForCertificate = false;
  #hasHttp2 = false;
  #isClosed = false;
  /** Nothing has come yet. */
  #isSilent = true;
  #verified: VerifyFailure | null | undefined;
  #certificate: X509Certificate | null | undefined;

  /**
   * `choose` is called once, with the name of the hello ('' = none). `hasPreface`: something comes before it, see `afterPreface`.
   * `isFast`: the fast layer works here (fast-layer-check).
   */
  constructor(raw: Socket, choose: (serverName: string) => TlsChoice, hasPreface: boolean, isFast: boolean) {
    this.#raw = raw;
    this.#choose = choose;
    this.#isFast = isFast;
    this.remoteAddress = raw.remoteAddress ?? '';
    this.remotePort = raw.remotePort ?? 0;
    this.localAddress = raw.localAddress ?? '';
    this.localPort = raw.localPort ?? 0;
    this.#inner = new SocketWire(raw);
    this.isHandshaking = !hasPreface;
    if (hasPreface) raw.on('data', this.#onPreface);
    else this.#awaitHello();
  }

  readonly #onPreface = (chunk: Buffer): void => {
    this.#sink.onBytes(chunk, chunk.length);
  };

  readonly afterPreface = (rest: Buffer): void => {
    this.#raw.removeListener('data', this.#onPreface);
    this.isHandshaking = true;
    this.#awaitHello();
    if (rest.length > 0) this.#onHello(rest);
  };

  #awaitHello(): void {
    this.#inner.sink = {
      onBytes: () => undefined,
      onDrain: () => undefined,
      onFin: () => this.#fail(new HandshakeError(this.#isSilent ? SILENT : GONE)),
      onClose: (error) => this.#closed(this.#handshakeError(error)),
    };
    this.#raw.on('data', this.#onHello);
  }

  get sink(): WireSink {
    return this.#sink;
  }

  set sink(sink: WireSink) {
    this.#sink = sink;
    if (!this.isHandshaking) this.#inner.sink = sink;
  }

  get pendingBytes(): number {
    return this.#inner.pendingBytes;
  }

  get isDestroyed(): boolean {
    return this.#isClosed || this.#inner.isDestroyed;
  }

  write(chunk: Uint8Array): boolean {
    return this.#inner.write(chunk);
  }

  writeSoon(chunk: Uint8Array): WriteResult {
    return this.#inner.writeSoon(chunk);
  }

  setNoDelay(): void {
    this.#inner.setNoDelay();
  }

  pause(): void {
    this.#inner.pause();
  }

  resume(): void {
    this.#inner.resume();
  }

  takeSocket(): Socket {
    // Trap: only tls.Server says that the handshake is over; node:http2 would wait for it.
    if (this.#tls !== null) (this.#tls as unknown as { secureConnecting: boolean }).secureConnecting = false;
    return this.#inner.takeSocket();
  }

  detachBuffer(): boolean {
    return false;
  }

  end(): void {
    this.#inner.end();
  }

  endAndClose(): void {
    this.#inner.endAndClose();
  }

  destroy(): void {
    this.#inner.destroy();
  }

  reset(): void {
    this.#raw.resetAndDestroy();
  }

  // --- ClientTls

  get protocol(): string {
    return this.#tls?.getProtocol() ?? '';
  }

  get cipher(): string {
    return this.#tls?.getCipher()?.name ?? '';
  }

  get alpnProtocol(): string {
    const chosen = this.#tls?.alpnProtocol;
    return typeof chosen === 'string' ? chosen : '';
  }

  get isSessionReused(): boolean {
    return this.#tls?.isSessionReused() ?? false;
  }

  get sessionId(): string {
    const session = this.#tls?.getSession();
    return session === undefined ? '' : sessionIdOf(session);
  }

  get clientCertificate(): X509Certificate | null {
    if (this.#certificate === undefined) {
      this.#certificate = this.#asksForCertificate ? (this.#tls?.getPeerX509Certificate() ?? null) : null;
    }
    return this.#certificate;
  }

  get verifyFailure(): VerifyFailure | null {
    if (this.#verified === undefined) this.#verified = this.#verify();
    return this.#verified;
  }

  #verify(): VerifyFailure | null {
    const tls = this.#tls;
    // Asked of the socket: during the handshake what it says now need not be what it will say.
    if (tls === null || !this.#asksForCertificate || tls.getPeerX509Certificate() === undefined) return null;
    const error = verifyErrorOf(tls);
    if (error !== null) return verifyFailureOf(error);
    return intermediatesOf(tls) > this.#verifyDepth ? TOO_DEEP : null;
  }

  // --- the handshake

  readonly #onHello = (chunk: Buffer): void => {
    this.#isSilent = false;
    if (this.#held.length === 0 && isPlain(chunk[0] ?? 0)) return this.#becomePlain(chunk);
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const result = readClientHello(this.#held);
    if (result.kind === 'more') return;
    this.#raw.removeListener('data', this.#onHello);
    this.#start(result.kind === 'whole' ? result.hello : NO_HELLO);
  };

  #becomePlain(chunk: Buffer): void {
    this.#raw.removeListener('data', this.#onHello);
    this.isEncrypted = false;
    this.isHandshaking = false;
    this.#inner.sink = this.#sink;
    readByEvents(this.#raw, this.#inner);
    this.#inner.sink.onBytes(chunk, chunk.length);
  }

  #start(hello: ClientHello): void {
    const { serverName } = hello;
    const raw = this.#raw;
    const choice = this.#choose(serverName);
    this.requestedName = serverName;
    this.foundName = choice.foundName;
    this.trustKey = choice.trustKey;
    this.offeredCiphers = hello.ciphers;
    this.offeredGroups = hello.groups;
    this.#verifyDepth = choice.verifyDepth;
    this.#asksForCertificate = choice.asksForCertificate;
    this.#hasHttp2 = choice.hasHttp2;
    const { means } = choice;
    if (means === null) {
      raw.write(UNRECOGNIZED_NAME);
      return this.#fail(new HandshakeError('handshake rejected'));
    }
    raw.pause();
    raw.setNoDelay(true);
    raw.unshift(this.#held);
    this.#held = EMPTY;
    const id = means.sessions === null ? '' : resumedId(hello, means.hasTls13);
    if (id === '') this.#shakeHands(hello, means, null);
    else means.sessions?.find(id, (session) => this.#shakeHands(hello, means, session));
  }

  /** `session`: the one that the client wants to go on with; null: none that is known. */
  #shakeHands(hello: ClientHello, means: TlsMeans, session: Buffer | null): void {
    const raw = this.#raw;
    if (this.isDestroyed || raw.destroyed) return; // gone while the session was looked for
    const before = this.#inner;
    const { sessions } = means;
    const stapled = chooseStapled(hello, means);
    const response = stapled?.response() ?? null;
    const context = stapled === null || response === null ? means.context : stapled.context;
    const tls = new TLSSocket(raw, {
      isServer: true,
      secureContext: context,
      requestCert: this.#asksForCertificate,
      // A bad certificate is answered with a page, not with an alert.
      rejectUnauthorized: false,
      ALPNProtocols: this.#hasHttp2 ? ALPN_WITH_HTTP2 : ALPN,
      // What was not verified to the end must not come back as a session, which is not verified again.
      ...(sessions !== null && { server: keepSessions(sessions, () => this.#verify() === null) }),
    });
    if (session !== null) loadSession(tls, session);
    if (response !== null) staple(tls, response);
    if (means.recordBytes < MAX_RECORD_BYTES) tls.setMaxSendFragment(Math.max(means.recordBytes, MIN_RECORD_BYTES));
    this.#tls = tls;
    const inner = this.#isFast ? new FastTlsWire(tls) : new SocketWire(tls);
    this.#inner = inner;
    inner.sink = before.sink;
    before.sink = NO_SINK;
    tls.once('secure', () => {
      this.isHandshaking = false;
      inner.sink = this.#sink;
      // HTTP/2 has its own way of reading (node:http2).
      if (inner instanceof FastTlsWire && tls.alpnProtocol !== 'h2') inner.readDirectly();
      else readByEvents(tls, inner);
    });
  }

  /** Closes a connection whose handshake came to nothing. */
  #fail(error: HandshakeError): void {
    if (this.#isClosed) return;
    const inner = this.#inner;
    inner.sink = NO_SINK;
    inner.endAndClose();
    this.#closed(error);
  }

  #closed(error: Error | null): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const sink = this.#sink;
    this.#sink = NO_SINK;
    sink.onClose(error);
  }

  #handshakeError(error: Error | null): Error | null {
    if (error === null) return null;
    const text = opensslText(error);
    if (text !== '') return new HandshakeError(`SSL_do_handshake() failed${text}`);
    const { code } = error as NodeJS.ErrnoException;
    return new HandshakeError(`${GONE} (${strerror(code ?? error.message)})`);
  }
}

/** As nginx looks at it: neither a TLS record nor the start of an SSLv2 hello. */
function isPlain(byte: number): boolean {
  return byte !== HANDSHAKE_RECORD && byte < 0x80;
}
