import { ProxyError } from '../../core/errors.ts';
import { dropRequestBody, respondStatus } from '../../http/error-response.ts';
import type { ContentState, Exchange, Recyclable } from '../../http/exchange.ts';
import { DONE, NEXT, PENDING, type PhaseResult } from '../../http/location.ts';
import { runPhases } from '../../http/phases.ts';
import { type BodyOwner, type BodySettings, RequestBody } from '../../http/request-body.ts';

const STATES = ['starting', 'reading', 'read', 'failed'] as const;
type State = (typeof STATES)[number];

/** What is done once the body is here, before the request goes on. */
type WhenRead = (ex: Exchange, body: MirroredBody) => void;

/** A request's body, read whole for the request and its copies. It is closed when the last of them needs it no more. */
export class MirroredBody implements BodyOwner, ContentState, Recyclable {
  readonly body: RequestBody;
  readonly #ex: Exchange;
  readonly #whenRead: WhenRead;
  #state: State = 'starting';
  /** The request itself, and each copy. */
  #users = 1;

  private constructor(ex: Exchange, whenRead: WhenRead) {
    this.#ex = ex;
    this.#whenRead = whenRead;
    this.body = new RequestBody(this);
  }

  /** Reads it, then `whenRead`, then the request goes on. One that was read before an internal redirect is there already. */
  static read(ex: Exchange, settings: BodySettings, whenRead: WhenRead): PhaseResult {
    const known = ex.readBody === null ? undefined : mirroredBodies.get(ex.readBody);
    if (known !== undefined) {
      whenRead(ex, known);
      return NEXT;
    }
    return new MirroredBody(ex, whenRead).#read(settings);
  }

  #read(settings: BodySettings): PhaseResult {
    const ex = this.#ex;
    ex.body = this.body;
    ex.held.push(this);
    ex.content = this;
    this.body.read(ex.stream, settings, ex.request.contentLength);
    if (this.#state === 'failed') return DONE;
    if (this.#state === 'starting') {
      this.#state = 'reading';
      return PENDING;
    }
    return this.#settled();
  }

  /** One more that needs it. */
  take(): void {
    this.#users++;
  }

  /** One that needs it no more. */
  recycle(): void {
    if (--this.#users === 0) this.body.close();
  }

  onBodyReady(): void {
    const wasReading = this.#state === 'reading';
    this.#state = 'read';
    if (wasReading && this.#settled() === NEXT) runPhases(this.#ex);
  }

  onBodyTempFile(name: string): void {
    this.#ex.location.errorLog.write('warn', this.#ex, `a client request body is buffered to a temporary file ${name}`);
  }

  onBodyFailed(error: ProxyError | Error): void {
    const ex = this.#ex;
    const { errorLog } = ex.location;
    this.#state = 'failed';
    ex.content = null;
    if (!(error instanceof ProxyError)) {
      errorLog.write('crit', ex, `writing a request body to a temporary file failed: ${error.message}`);
      dropRequestBody(ex);
      respondStatus(ex, 500);
      return;
    }
    const { code, message, status } = error;
    const isGone = code === 'client-aborted';
    if (code !== 'client-timeout') errorLog.write(isGone ? 'info' : 'error', ex, message);
    if (isGone) {
      ex.response.status = status;
      ex.stream.abort();
      return;
    }
    dropRequestBody(ex);
    respondStatus(ex, status);
  }

  onClientAborted(reason?: string): void {
    const ex = this.#ex;
    ex.content = null;
    ex.location.errorLog.write('info', ex, reason ?? 'client prematurely closed connection');
    respondStatus(ex, 499);
  }

  onWritable(): void {
    // nothing was written
  }

  #settled(): PhaseResult {
    const ex = this.#ex;
    ex.content = null;
    ex.readBody = this.body;
    mirroredBodies.set(this.body, this);
    this.#whenRead(ex, this);
    return NEXT;
  }
}

/** Whose body it is. */
const mirroredBodies = new WeakMap<RequestBody, MirroredBody>();
