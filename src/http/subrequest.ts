import { turnMs } from '../core/clock.ts';
import type { BodySink, ClientStream, TunnelEnd } from './client-stream.ts';
import { copyRequestHead } from './copy-request-head.ts';
import { Exchange } from './exchange.ts';
import { logExchange, runSubrequest } from './phases.ts';

/** Subrequests that are over, for the next ones. */
const MAX_SPARE = 64;
const spare: Subrequest[] = [];

/** nginx's limit of subrequests within one another. */
const MAX_DEPTH = 50;

/** Who made a subrequest. */
export interface SubrequestOwner {
  /**
   * It was answered, or given up without an answer (`isAborted`). What the answer says, and its variables, are there until this returns;
   * nothing but looking at them is allowed here.
   */
  onSubrequestAnswered(sub: Exchange, isAborted: boolean): void;
  /** It is over and gone. */
  onSubrequestOver(): void;
}

export interface SubrequestInit {
  /** Path, unescaped. */
  readonly uri: string;
  readonly args: string;
  readonly method: string;
  /**
   * False: it ends with its parent at the latest, and shares bytes and variables with it. True: it may outlive it (`detach`), and has
   * copies.
   */
  readonly isDetached: boolean;
}

/**
 * A request that the proxy makes to one of its own locations for another request, its parent. It shows the parent's request line and
 * fields, has a path of its own, and is the stream of its exchange: of the answer the head is kept and the body dropped.
 * Only if `log_subrequest` says so it has a line in the access log.
 */
export class Subrequest implements ClientStream {
  isHeadSent = false;
  readonly pendingBytes = 0;
  /** Null: it goes on without. */
  parent: Exchange | null = null;
  #owner: SubrequestOwner | null = null;
  #ex: Exchange | null = null;
  readonly #ownSlots: Exchange['slots'] = [];
  #depth = 0;
  /** Counts its uses. */
  #serial = 0;
  /** Method of the request that came from the client: `$request_method`. */
  mainMethod = '';

  /** Its exchange, made ready and not begun; null when there are too many within one another, which the error log says. */
  static make(parent: Exchange, init: SubrequestInit, owner: SubrequestOwner): Subrequest | null {
    const depth = (parent.subrequest?.depth ?? 0) + 1;
    if (depth > MAX_DEPTH) {
      parent.location.errorLog.write('error', parent, `subrequests cycle while processing "${init.uri}"`);
      return null;
    }
    const made = spare.pop() ?? new Subrequest();
    made.#prepare(parent, init, owner, depth);
    return made;
  }

  get depth(): number {
    return this.#depth;
  }

  #prepare(parent: Exchange, init: SubrequestInit, owner: SubrequestOwner, depth: number): void {
    const { isDetached } = init;
    const ex = this.#ex ?? new Exchange(parent.connection, this, parent.server);
    ex.reset(parent.server);
    this.#ex = ex;
    this.#owner = owner;
    this.#depth = depth;
    this.parent = parent;
    this.isHeadSent = false;
    this.#serial++;
    this.mainMethod = parent.subrequest?.mainMethod ?? parent.request.method;
    ex.subrequest = this;
    ex.connection = parent.connection;
    ex.stream = this;
    const { request } = ex;
    copyRequestHead(parent.request, request, isDetached);
    request.method = init.method;
    // The client's body is its parent's; its length is still held against `client_max_body_size`, as in nginx.
    request.framing = 'none';
    request.keepAlive = false;
    request.expectContinue = false;
    request.upgrade = false;
    ex.host = parent.host;
    ex.uri = init.uri;
    ex.args = init.args;
    ex.isUriChanged = true;
    ex.isUriRewritten = true;
    ex.isHeadOnly = true;
    // Nobody waits for the bytes of a body.
    ex.limitRateBytes = 0;
    // A request is limited once.
    ex.limitReqStatus = parent.limitReqStatus;
    ex.limitConnStatus = parent.limitConnStatus;
    if (!isDetached) ex.slots = parent.slots;
  }

  /** Runs it. It may be over when this returns. */
  begin(): void {
    const ex = this.#ex as Exchange;
    ex.startedAtMs = turnMs();
    runSubrequest(ex);
  }

  /** The exchange; only before it is over. */
  get exchange(): Exchange {
    return this.#ex as Exchange;
  }

  /** From now on there is no parent: keeps what its variables are. */
  detach(): void {
    const { parent } = this;
    const ex = this.#ex as Exchange;
    if (parent === null) return;
    this.parent = null;
    for (const [slot, value] of parent.slots.entries()) ex.slots[slot] = value;
    if (ex.requestId === '') ex.requestId = parent.requestId;
  }

  /** The parent's client is gone: whoever works on it hears of that, as if it were its own client. */
  clientAborted(reason?: string, cause: Error | null = null): void {
    this.#ex?.content?.onClientAborted(reason, cause);
  }

  /** Nobody wants it any more. */
  cancel(): void {
    if (this.#owner === null) return;
    this.clientAborted();
    if (this.#owner !== null) this.#finish(true);
  }

  // --- ClientStream

  sendInformational(): void {
    // nobody listens
  }

  sendHead(): void {
    this.isHeadSent = true;
    // A body that came along with the head is read, so that the peer's connection can be kept; as in nginx nothing more is waited for.
    const serial = this.#serial;
    queueMicrotask(() => {
      if (this.#serial === serial) this.#ex?.content?.abandon?.();
    });
  }

  sendBody(): boolean {
    return true;
  }

  flush(): boolean {
    return true;
  }

  endBody(): void {
    if (this.#owner === null) return;
    (this.#ex as Exchange).isComplete = true;
    this.#finish(false);
  }

  abort(): void {
    if (this.#owner !== null) this.#finish(!this.isHeadSent);
  }

  readBody(sink: BodySink): void {
    sink.onBodyEnd(null);
  }

  pauseBody(): void {
    // it has none
  }

  resumeBody(): void {
    // it has none
  }

  discardBody(): boolean {
    return true;
  }

  openTunnel(): TunnelEnd {
    throw new Error('a subrequest asks for no tunnel');
  }

  /** The only way out: log, then everything goes back, then the owner goes on. */
  #finish(isAborted: boolean): void {
    const ex = this.#ex as Exchange;
    const owner = this.#owner as SubrequestOwner;
    this.#owner = null;
    this.#serial++;
    ex.content = null;
    if (ex.location.core.logSubrequest) logExchange(ex);
    owner.onSubrequestAnswered(ex, isAborted);
    ex.recycle();
    // The slots may be its parent's.
    ex.slots = this.#ownSlots;
    this.parent = null;
    if (spare.length < MAX_SPARE) spare.push(this);
    owner.onSubrequestOver();
  }
}
