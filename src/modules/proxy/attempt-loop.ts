import { wallMs } from '../../core/clock.ts';
import type { Deadlines } from '../../core/deadlines.ts';
import { ProxyError } from '../../core/errors.ts';
import { strerror } from '../../core/strerror.ts';
import { copyFields } from '../../http/copy-fields.ts';
import { dropRequestBody, respondStatus } from '../../http/error-response.ts';
import { escapeTarget } from '../../http/escape-uri.ts';
import type { ContentState, Exchange, Recyclable, UpstreamAttempt } from '../../http/exchange.ts';
import type { HeaderBlock } from '../../http/header-block.ts';
import type { LogLevel } from '../../http/location.ts';
import { sendResponseHead } from '../../http/send-response.ts';
import { type UpstreamConnection, UpstreamRequest } from '../../http/upstream-connection.ts';
import { UpstreamResponseHead } from '../../http/upstream-response-head.ts';
import type { Connecting } from '../../net/connector.ts';
import type { PeerOutcome } from '../../policy/outcome.ts';
import {
  type AttemptEnd,
  decideRetry,
  type RetryVerdict,
  retryStatusBit,
  withoutNextPeer,
} from '../../policy/retry.ts';
import type { AcquireOptions, AcquireWaiter, PeerConnections } from '../../upstream/acquire.ts';
import type { NameFailure } from '../../upstream/name-query.ts';
import type { NameWaiter } from '../../upstream/name-resolver.ts';
import type { Peer } from '../../upstream/peer.ts';
import type { QueuedRequest } from '../../upstream/pick-queue.ts';
import { PickSession } from '../../upstream/pick-session.ts';
import type { ResolvedAddress } from '../../upstream/resolved-names.ts';
import type { UpstreamGroup } from '../../upstream/upstream-group.ts';
import { accelTarget, followAccelRedirect } from './accel-redirect.ts';
import { attemptEnd, attemptErrorLine, attemptStatus, STAGES, type Stage } from './attempt-error.ts';
import { AttemptNotes } from './attempt-notes.ts';
import { countAttempt, recordAttempt } from './attempt-record.ts';
import { BodySource, type BodySourceOwner } from './body-source.ts';
import type { Destination, UnresolvedName } from './pass-to.ts';
import type { ProxyLocation } from './proxy-location.ts';
import { ResponsePlan } from './response-plan.ts';
import { type RelayOwner, ResponseRelay } from './response-relay.ts';
import { Tunnel, type TunnelOwner } from './tunnel.ts';

/** What the loop needs of the worker. */
export interface ProxyWorker {
  readonly connections: Pick<PeerConnections, 'acquire'>;
  /** Idle tunnels. */
  readonly deadlines: Deadlines;
  readonly now: () => number;
}

/** Requests that are over, for the next ones. */
const MAX_SPARE = 1024;
const spare: ProxyRequest[] = [];

/**
 * The one that has served this exchange before an internal redirect, else an idle one, or a new one.
 * It goes back when the exchange is recycled.
 */
export function takeProxyRequest(ex: Exchange, worker: ProxyWorker): ProxyRequest {
  if (ex.recyclable instanceof ProxyRequest) return ex.recyclable;
  const request = spare.pop();
  if (request === undefined || request.worker !== worker) return new ProxyRequest(worker);
  return request;
}

/**
 * One request on its way through peers: the only loop in which attempts are made.
 *
 * ```
 * 1 start        destination, body wanted?
 * 2 body         read whole (buffered), or left to step 5; a host that variables made is looked up
 * 3 next         pick a peer <--------------------------------+
 * 4 connect      acquire a connection                         | verdict of policy/retry
 * 5 send         head and body                                |
 * 6 head         its status may be worth another peer --------+--- so may any failure up to here
 * 7 pass head    fields hidden, rewritten; filters; X-Accel-…; from here on nothing is retried
 * 8 body         response pipe        101: tunnel
 * 9 end          peer released with its outcome, then the client's stream ends the exchange
 * ```
 * Invariant: `#peer` is set from pick to release; `#end` is the only way to release it.
 * After `stream.endBody`, `stream.abort` or `respondStatus` this object may already serve another request: nothing follows them.
 */
export class ProxyRequest
  implements
    ContentState,
    AcquireWaiter,
    NameWaiter,
    BodySourceOwner,
    RelayOwner,
    TunnelOwner,
    Recyclable,
    QueuedRequest
{
  readonly worker: ProxyWorker;
  readonly responseHead = new UpstreamResponseHead();
  readonly #request = new UpstreamRequest();
  readonly #session = new PickSession();
  readonly #relay: ResponseRelay;
  readonly #body: BodySource;
  readonly #notes = new AttemptNotes();
  readonly #plan = new ResponsePlan();
  #ex: Exchange | null = null;
  #location: ProxyLocation | null = null;
  #destination: Destination | null = null;
  /** Null until it is known: a host may have to be looked up. */
  #group: UpstreamGroup | null = null;
  #stage: Stage = 'over';
  #peer: Peer | null = null;
  #connection: UpstreamConnection | null = null;
  /** A connection under way, or a name. */
  #connecting: Connecting | null = null;
  /** Counts beginnings and ends of connecting. */
  #connectTurn = 0;
  #attempt: UpstreamAttempt | null = null;
  #firstAtMs = 0;
  #connectOptions: AcquireOptions | null = null;

  constructor(worker: ProxyWorker) {
    this.worker = worker;
    this.#relay = new ResponseRelay(this, worker.now);
    this.#body = new BodySource(this);
  }

  /** `$proxy_host`, `$proxy_port`. */
  get destination(): Destination | null {
    return this.#destination;
  }

  // --- 1. start

  start(ex: Exchange, location: ProxyLocation): void {
    ex.recyclable = this;
    ex.content = this;
    this.#ex = ex;
    this.#location = location;
    this.#stage = 'body';
    this.#destination = null;
    this.#group = null;
    const destination = location.passTo.destination(ex);
    if (typeof destination === 'number') {
      this.#answer(destination);
      return;
    }
    this.#destination = destination;
    this.#body.prepare(ex, location);
  }

  // --- 2. the body

  onBodyTempFile(name: string): void {
    this.#log('warn', `a client request body is buffered to a temporary file ${name}`);
  }

  onBodyFailed(error: ProxyError | Error): void {
    const isOurs = !(error instanceof ProxyError);
    const isNews = !isOurs && error.code !== 'client-timeout';
    if (isOurs) this.#log('crit', `writing a request body to a temporary file failed: ${error.message}`);
    else if (isNews) this.#log(error.code === 'client-aborted' ? 'info' : 'error', error.message);
    this.#dropAttempt();
    if (!isOurs && error.code === 'client-aborted') {
      this.#endUnanswered(error.status);
      return;
    }
    // An error page gets no part of it.
    this.#body.close();
    dropRequestBody(this.#ex as Exchange);
    this.#answer(isOurs ? 500 : error.status);
  }

  onBodyReady(): void {
    const ex = this.#ex as Exchange;
    const location = this.#location as ProxyLocation;
    const destination = this.#destination as Destination;
    const request = this.#request;
    request.reset();
    // What variables make of them stays one line of two words more.
    request.method =
      location.method === null ? ex.request.method : escapeTarget(location.method.evaluate(ex)) || ex.request.method;
    request.target = escapeTarget(location.passTo.target(ex, destination));
    request.version = location.version;
    this.#connectOptions = location.connectOptions(ex, destination);
    location.requestFields.build(ex, request, this.#body.measure(ex, location));
    if (destination.group === null) this.#resolve(destination.name as UnresolvedName);
    else this.#begin(destination.group);
  }

  #resolve(name: UnresolvedName): void {
    this.#stage = 'resolving';
    const { host, lookup } = name;
    if (lookup === null) {
      this.#log('error', `no resolver defined to resolve ${host}`);
      this.#answer(502);
      return;
    }
    const turn = ++this.#connectTurn;
    const waiting = lookup.resolver.resolve(host, lookup.timeoutMs, this);
    if (turn === this.#connectTurn) this.#connecting = waiting;
  }

  onResolved(addresses: readonly ResolvedAddress[]): void {
    this.#connectTurn++;
    this.#connecting = null;
    const { name } = this.#destination as Destination;
    this.#begin((name as UnresolvedName).group(addresses));
  }

  onUnresolved({ code, words }: NameFailure): void {
    this.#connectTurn++;
    this.#connecting = null;
    this.#log('error', `${this.#destination?.name?.host} could not be resolved (${code}: ${words})`);
    this.#answer(502);
  }

  #begin(group: UpstreamGroup): void {
    const ex = this.#ex as Exchange;
    this.#group = group;
    group.newSession(ex, this.#session);
    this.#session.limitTries((this.#location as ProxyLocation).retry.maxTries);
    this.#firstAtMs = this.worker.now();
    group.retryBudget?.noteRequest(this.#firstAtMs);
    if (group.queue?.size) this.#noPeer(this.#firstAtMs, true);
    else this.#next(this.#firstAtMs, ex.attemptCount > 0, true);
  }

  // --- 3. a peer

  #next(now: number, startsGroup: boolean, mayWait = false): void {
    const group = this.#group as UpstreamGroup;
    this.#stage = 'connecting';
    const peer = group.pick(this.#session, now);
    if (peer !== null) this.#usePeer(peer, now, startsGroup);
    else if (this.#session.isShort) this.#awaitSlot(group, now, startsGroup, mayWait);
    else this.#noPeer(now, mayWait, startsGroup);
  }

  #usePeer(peer: Peer, now: number, startsGroup: boolean): void {
    this.#beginAttempt(peer.addressText, now, startsGroup);
    this.#peer = peer;
    this.#connect(peer, false);
  }

  /** Other workers may hold what is left of `max_conns`. */
  #awaitSlot(group: UpstreamGroup, now: number, startsGroup: boolean, mayWait: boolean): void {
    const turn = ++this.#connectTurn;
    this.#connecting = group.awaitSlot(this.#session, now, () => {
      if (turn !== this.#connectTurn) return;
      this.#connecting = null;
      this.#next(this.worker.now(), startsGroup, mayWait);
    });
  }

  /** It waits for one where the group has a `queue`; one that has been at a peer does not. */
  #noPeer(now: number, mayWait: boolean, startsGroup = (this.#ex as Exchange).attemptCount > 0): void {
    const { queue } = this.#group as UpstreamGroup;
    this.#stage = 'connecting';
    let why = '';
    if (mayWait && queue !== null) {
      this.#connecting = queue.enter(this, now);
      if (this.#connecting !== null) return;
      why = ' (the queue is full)';
    }
    this.#endWithoutPeer(now, startsGroup, why);
  }

  #endWithoutPeer(now: number, startsGroup: boolean, why: string): void {
    this.#beginAttempt((this.#group as UpstreamGroup).name, now, startsGroup);
    (this.#attempt as UpstreamAttempt).status = 502;
    (this.#attempt as UpstreamAttempt).responseMs = 0;
    this.#log('error', `no live upstreams${why}${STAGES.connecting}`);
    this.#answer(502);
  }

  /** In the queue: a look from the beginning, at primaries first. */
  onTurn(now: number): boolean {
    const ex = this.#ex as Exchange;
    const group = this.#group as UpstreamGroup;
    group.newSession(ex, this.#session);
    this.#session.limitTries((this.#location as ProxyLocation).retry.maxTries);
    const peer = group.pick(this.#session, now);
    if (peer === null) {
      if (this.#session.isShort) group.wakeForSlot(this.#session, now);
      return false;
    }
    this.#connecting = null;
    this.#usePeer(peer, now, ex.attemptCount > 0);
    return true;
  }

  onQueueTimeout(now: number): void {
    this.#connecting = null;
    this.#endWithoutPeer(now, (this.#ex as Exchange).attemptCount > 0, ' (waited in the queue in vain)');
  }

  #beginAttempt(address: string, now: number, startsGroup: boolean): void {
    const ex = this.#ex as Exchange;
    const attempt = ex.nextAttempt();
    // What a peer before this one said is no answer any more.
    ex.upstreamHead = null;
    attempt.address = address;
    attempt.startedAtMs = now;
    attempt.startsGroup = startsGroup;
    this.#attempt = attempt;
    this.#notes.reset();
  }

  // --- 4. a connection

  #connect(peer: Peer, isFresh: boolean): void {
    const group = this.#group as UpstreamGroup;
    this.#stage = 'connecting';
    const turn = ++this.#connectTurn;
    const connecting = this.worker.connections.acquire(
      group,
      peer,
      this.#connectOptions as AcquireOptions,
      isFresh,
      this,
    );
    // Settled before it returned: what follows has happened already, perhaps for another request.
    if (turn === this.#connectTurn) this.#connecting = connecting;
  }

  onHandshake(): void {
    this.#stage = 'handshaking';
  }

  onConnected(connection: UpstreamConnection): void {
    const attempt = this.#attempt as UpstreamAttempt;
    const location = this.#location as ProxyLocation;
    this.#connectTurn++;
    this.#connecting = null;
    this.#connection = connection;
    this.#notes.isReused = connection.isReused;
    attempt.connectMs = connection.isReused ? 0 : this.worker.now() - attempt.startedAtMs;
    connection.setTimeouts(location.sendTimeoutMs, location.readTimeoutMs);
    connection.setMaxHeadBytes(location.maxHeadBytes);
    this.#send(connection);
  }

  onConnectError(error: ProxyError): void {
    this.#connectTurn++;
    this.#connecting = null;
    this.#failed(error);
  }

  // --- 5. the request

  #send(connection: UpstreamConnection): void {
    this.#stage = 'sending';
    const { passesBody } = this.#location as ProxyLocation;
    try {
      this.#noteSent(connection, this.#body.send(connection, this.#request, passesBody));
    } catch (error) {
      this.#ownFailure('reading a request body from a temporary file', error);
    }
  }

  onRequestWritable(): void {
    const connection = this.#connection;
    if (connection === null) return;
    try {
      this.#noteSent(connection, this.#body.sendMore(connection));
    } catch (error) {
      this.#ownFailure('reading a request body from a temporary file', error);
    }
  }

  #noteSent(connection: UpstreamConnection, isSent: boolean): void {
    if (isSent && this.#stage === 'sending' && this.#connection === connection) this.#stage = 'reading-head';
  }

  // --- 6. the response's head

  onInformational(head: UpstreamResponseHead): void {
    const ex = this.#ex as Exchange;
    if (head.status === 103 && (this.#location as ProxyLocation).passesEarlyHints(ex)) {
      ex.stream.sendInformational(103, head.headers);
    }
  }

  onResponseHead(head: UpstreamResponseHead): void {
    const ex = this.#ex as Exchange;
    const location = this.#location as ProxyLocation;
    const attempt = this.#attempt as UpstreamAttempt;
    const connection = this.#connection as UpstreamConnection;
    const { status } = head;
    const now = this.worker.now();
    attempt.headerMs = now - attempt.startedAtMs;
    ex.upstreamHead = head;
    if (status === 101 && !(ex.request.upgrade && this.#request.asksUpgrade)) {
      connection.destroy();
      this.#failed(unasked());
      return;
    }
    attempt.status = status;
    if (retryStatusBit(status) !== 0) {
      const verdict = this.#verdict('status', status, now);
      if (verdict.next === 'next-peer') {
        this.#end(verdict.outcome, now);
        connection.destroy();
        this.#repeat(now);
        return;
      }
    }
    this.#passHead(ex, location, connection, head);
  }

  // --- 7. the client's head

  #passHead(ex: Exchange, location: ProxyLocation, connection: UpstreamConnection, head: UpstreamResponseHead): void {
    const plan = this.#plan;
    plan.make(ex, location, head);
    switch (plan.kind) {
      case 'accel-redirect': {
        const target = accelTarget(plan.redirect ?? '');
        if (target === null) this.#log('error', `unsafe URI "${plan.redirect}" was detected${STAGES['reading-head']}`);
        this.#leavePeer(connection);
        if (target === null) respondStatus(ex, 404);
        else followAccelRedirect(ex, target);
        return;
      }
      case 'error-page':
        this.#leavePeer(connection);
        respondStatus(ex, head.status);
        return;
      case 'unsatisfiable-range':
        this.#leavePeer(connection);
        respondStatus(ex, 416);
        return;
    }
    if (!location.readsBody && ex.request.framing !== 'none') ex.stream.discardBody();
    if (plan.kind === 'tunnel') {
      this.#openTunnel(ex, location, connection);
      return;
    }
    this.#stage = 'reading-body';
    this.#relay.begin(ex, location, connection, plan);
  }

  /** The peer's answer is not what the client gets. */
  #leavePeer(connection: UpstreamConnection): void {
    this.#body.stop();
    this.#end('ok', this.worker.now());
    connection.destroy();
    this.#letGoOfClient();
  }

  // --- 8. the response's body

  onResponseData(chunk: Buffer): void {
    this.#relay.onData(chunk);
  }

  onResponsePause(): void {
    this.#relay.onPause();
  }

  onPipeTempFile(name: string): void {
    this.#log('warn', `an upstream response is buffered to a temporary file ${name}${STAGES['reading-body']}`);
  }

  onPipeError(error: unknown): void {
    this.#ownFailure('buffering an upstream response in a temporary file', error);
  }

  /** From the client's stream. */
  onWritable(): void {
    this.#relay.onWritable();
  }

  // --- 9. the end

  onResponseEnd(trailers: HeaderBlock | null): void {
    const connection = this.#connection as UpstreamConnection;
    if (connection.isOverlong) this.#logOverlong();
    const { passesTrailers, responseFields } = this.#location as ProxyLocation;
    // A copy: they outlive the connection.
    if (trailers !== null && passesTrailers) {
      responseFields.hide(trailers);
      (this.#ex as Exchange).trailers = copyFields(trailers);
    }
    this.#end('ok', this.worker.now());
    connection.release();
    this.#body.stop();
    this.#relay.end(true);
  }

  onRelayed(isWhole: boolean): void {
    const { stream, trailers } = this.#ex as Exchange;
    this.#letGoOfClient();
    if (isWhole) stream.endBody(trailers);
    else stream.abort();
  }

  // --- failures

  onUpstreamError(error: ProxyError): void {
    this.#failed(error);
  }

  /** The attempt brought no whole answer; its connection, if there was one, is destroyed. */
  #failed(error: ProxyError): void {
    const now = this.worker.now();
    // As in nginx, a timeout is logged behind what it does to the peer.
    const isLogLate = attemptEnd(error) === 'timeout' && this.#stage !== 'reading-body';
    if (!isLogLate) this.#logFailure(error);
    this.#body.stop();
    if (this.#stage === 'reading-body') {
      // The client has a part of it: the rest of what we hold, then a close that shows the loss.
      this.#end('neutral', now);
      this.#relay.end(false);
      return;
    }
    const status = attemptStatus(error);
    const attempt = this.#attempt as UpstreamAttempt;
    if (attempt.status === 0) attempt.status = status;
    if (error.side === 'proxy') {
      // Our own trouble says nothing about the peer, and another one would meet it too.
      this.#end('neutral', now);
      this.#answer(status);
      return;
    }
    const verdict = this.#verdict(attemptEnd(error), 0, now);
    const peer = this.#peer as Peer;
    if (verdict.next === 'fresh-connection') {
      recordAttempt(attempt, this.#connection, now);
      this.#beginAttempt(peer.addressText, now, false);
      this.#body.rewind();
      this.#connection = null;
      this.#connect(peer, true);
      return;
    }
    if (verdict.outcome === 'failed') {
      peer.stats.lastFailure = error.message;
      peer.stats.lastFailureAtMs = wallMs();
    }
    this.#end(verdict.outcome, now, isLogLate ? error : null);
    if (verdict.next === 'next-peer') this.#repeat(now);
    else this.#answer(status);
  }

  #repeat(now: number): void {
    this.#body.rewind();
    this.#next(now, false);
  }

  #verdict(end: AttemptEnd, status: number, now: number): RetryVerdict {
    const notes = this.#notes;
    const connection = this.#connection;
    notes.end = end;
    notes.status = status;
    notes.isRequestSent = connection?.isRequestSent === true;
    notes.isResponseBegun = connection !== null && connection.bytesReceived > 0;
    notes.isNonIdempotent = isNonIdempotent((this.#ex as Exchange).request.method);
    notes.isBodyGone = this.#body.isGone;
    notes.tries = this.#session.tries;
    notes.elapsedMs = now - this.#firstAtMs;
    const verdict = decideRetry((this.#location as ProxyLocation).retry, notes);
    return verdict.next === 'next-peer' && !this.#mayRetry(now) ? withoutNextPeer(end) : verdict;
  }

  /** `retry_budget`. Said once each time that it is used up. */
  #mayRetry(now: number): boolean {
    const group = this.#group as UpstreamGroup;
    const budget = group.retryBudget;
    if (budget === null) return true;
    const wasSpent = budget.isSpent;
    if (budget.take(now)) return true;
    if (!wasSpent) this.#log('warn', `retry_budget ${budget.percent}% of upstream "${group.name}" is used up`);
    return false;
  }

  /** Releases the peer and writes down what the attempt was. The connection is the caller's to release or destroy. */
  #end(outcome: PeerOutcome, now: number, toLog: ProxyError | null = null): void {
    const peer = this.#peer as Peer;
    const attempt = this.#attempt as UpstreamAttempt;
    const group = this.#group as UpstreamGroup;
    if (this.#stage === 'reading-body') {
      // As nginx counts it: what came behind the head, framing included.
      attempt.responseLength = Math.max((this.#connection?.bytesReceived ?? 0) - this.responseHead.headBytes, 0);
    }
    recordAttempt(attempt, this.#connection, now);
    countAttempt(attempt, peer.stats);
    const change = group.release(this.#session, peer, outcome, now);
    if (change === 'ejected' || change === 'still-out') {
      this.#log('warn', `upstream server temporarily disabled${STAGES[this.#stage]}`);
    }
    if (toLog !== null) this.#logFailure(toLog);
    this.#peer = null;
    this.#connection = null;
  }

  // --- the client goes away

  onClientAborted(reason?: string, cause: Error | null = null, level: 'info' | 'error' = 'info'): void {
    const ex = this.#ex;
    if (ex === null || this.#stage === 'over' || this.#stage === 'tunnel') return;
    if (reason !== undefined) this.#log(level, reason);
    if ((this.#location as ProxyLocation).ignoresClientAbort) {
      // Nothing will be said to be writable any more; a stream that is gone takes everything.
      if (ex.stream.pendingBytes === 0) ex.onWritable();
      return;
    }
    if (reason === undefined) this.#logClientLeft(cause);
    this.#dropAttempt();
    this.#endUnanswered(499);
  }

  abandon(): void {
    if (this.#ex === null || this.#stage === 'over') return;
    this.#dropAttempt();
    this.#endUnanswered(499);
  }

  #logClientLeft(cause: Error | null): void {
    const code = (cause as NodeJS.ErrnoException | null)?.code;
    const why = code === undefined ? '' : ` (${strerror(code)})`;
    if (this.#stage === 'resolving') {
      this.#log('info', `epoll_wait() reported that client prematurely closed connection${why}`);
      return;
    }
    if (this.#peer === null) {
      this.#log('info', `client prematurely closed connection${why}`);
      return;
    }
    // nginx only says that it reads the head when something of it has come.
    const isUnanswered = this.#stage === 'reading-head' && this.#connection?.bytesReceived === 0;
    const doing = STAGES[isUnanswered ? 'sending' : this.#stage];
    const text =
      'epoll_wait() reported that client prematurely closed connection, so upstream connection is closed too';
    this.#log('info', text + why + doing);
  }

  /** Gives up what is under way at the peer, if anything is. */
  #dropAttempt(): void {
    this.#connecting?.cancel();
    this.#connecting = null;
    this.#body.stop();
    const connection = this.#connection;
    if (this.#peer !== null) this.#end('neutral', this.worker.now());
    connection?.destroy();
  }

  // --- 101

  #openTunnel(ex: Exchange, location: ProxyLocation, connection: UpstreamConnection): void {
    this.#stage = 'tunnel';
    sendResponseHead(ex);
    const { deadlines, now } = this.worker;
    new Tunnel(deadlines, now, location.readTimeoutMs, this).open(ex.stream, connection);
  }

  onTunnelOver(error: ProxyError | null): void {
    const { stream } = this.#ex as Exchange;
    const connection = this.#connection;
    if (error !== null) this.#logFailure(error);
    if (this.#peer !== null) this.#end('ok', this.worker.now());
    connection?.destroy();
    this.#letGoOfClient();
    stream.abort();
  }

  // --- over

  #ownFailure(what: string, error: unknown): void {
    this.#log('crit', `${what} failed: ${(error as Error).message}`);
    this.#dropAttempt();
    this.#answer(500);
  }

  /** Answers with our own page, or ends what was begun. */
  #answer(status: number): void {
    const ex = this.#ex as Exchange;
    this.#letGoOfClient();
    respondStatus(ex, status);
  }

  /** The client is gone: the log has the status, unless one went out before. */
  #endUnanswered(status: number): void {
    const ex = this.#ex as Exchange;
    if (!ex.stream.isHeadSent) ex.response.status = status;
    this.#letGoOfClient();
    ex.stream.abort();
  }

  #letGoOfClient(): void {
    const ex = this.#ex;
    this.#stage = 'over';
    this.#relay.close();
    if (ex !== null) ex.content = null;
  }

  recycle(): void {
    if (this.#peer !== null || this.#connecting !== null) this.#dropAttempt();
    this.#body.close();
    this.#ex = null;
    this.#location = null;
    this.#destination = null;
    this.#group = null;
    this.#attempt = null;
    this.#request.reset();
    if (spare.length < MAX_SPARE) spare.push(this);
  }

  /** Without buffering nginx only sees it in the read that brought the head. */
  #logOverlong(): void {
    const { isBuffered, isHeadRead } = this.#relay;
    if (!isBuffered && !isHeadRead) return;
    const doing = STAGES[isBuffered ? 'reading-body' : 'reading-head'];
    this.#log('warn', `upstream sent more data than specified in "Content-Length" header${doing}`);
  }

  #logFailure(error: ProxyError): void {
    const { level, text } = attemptErrorLine(error, this.#stage, this.#relay.isBuffered, this.#peer?.addressText ?? '');
    this.#log(level, text);
  }

  #log(level: LogLevel, text: string): void {
    const ex = this.#ex as Exchange;
    const { errorLog } = ex.location;
    if (!errorLog.isEnabled(level)) return;
    const where = this.#peer?.addressText ?? this.#group?.name ?? '';
    const isKnown = where !== '' && this.#stage !== 'body';
    errorLog.write(
      level,
      ex,
      text,
      isKnown ? triedUrl(this.#destination?.isTls === true, where, this.#request.target) : '',
    );
  }
}

/** `upstream:` of an error line. */
function triedUrl(isTls: boolean, where: string, target: string): string {
  return `${isTls ? 'https' : 'http'}://${where}${where.startsWith('unix:') ? ':' : ''}${target}`;
}

function isNonIdempotent(method: string): boolean {
  return method === 'POST' || method === 'LOCK' || method === 'PATCH';
}

function unasked(): ProxyError {
  return new ProxyError('invalid-response', 'upstream sent unexpected 101 response', {
    side: 'upstream',
    status: 502,
    retry: 'yes',
  });
}
