import { type AccessVerdict, GRANTED, settleAccess } from '../../http/access-phase.ts';
import { respondStatus } from '../../http/error-response.ts';
import type { ContentState, Exchange, Recyclable } from '../../http/exchange.ts';
import { DONE, NEXT, PENDING, type PhaseHandler, type PhaseResult } from '../../http/location.ts';
import { runPhases } from '../../http/phases.ts';
import { Subrequest, type SubrequestOwner } from '../../http/subrequest.ts';
import type { Template } from '../../http/variable.ts';

/** One `auth_request_set`, compiled. */
export interface AuthAssignment {
  readonly assign: (ex: Exchange, value: string) => void;
  readonly value: Template;
}

/** Asks `uri`; what it answers is the verdict of an access check. */
export function authRequestHandler(uri: string, assignments: readonly AuthAssignment[]): PhaseHandler {
  return (ex) => new AuthCheck(ex, assignments).ask(uri);
}

/** One request that waits for the answer of its subrequest. */
class AuthCheck implements SubrequestOwner, ContentState, Recyclable {
  readonly #ex: Exchange;
  readonly #assignments: readonly AuthAssignment[];
  #sub: Subrequest | null = null;
  #isAsking = true;
  /** The subrequest brought no whole answer; the client then gets none either. */
  #isAborted = false;
  #isClientGone = false;
  #status = 0;
  #isProxied = false;
  #challenges: string[] = [];

  constructor(ex: Exchange, assignments: readonly AuthAssignment[]) {
    this.#ex = ex;
    this.#assignments = assignments;
  }

  ask(uri: string): PhaseResult {
    const ex = this.#ex;
    const sub = Subrequest.make(ex, { uri, args: '', method: 'GET', isDetached: false }, this);
    if (sub === null) {
      respondStatus(ex, 500);
      return DONE;
    }
    this.#sub = sub;
    sub.begin();
    this.#isAsking = false;
    if (this.#sub === null) return this.#settle();
    ex.content = this;
    ex.held.push(this);
    return PENDING;
  }

  onSubrequestAnswered(sub: Exchange, isAborted: boolean): void {
    const ex = this.#ex;
    this.#isAborted = isAborted;
    this.#status = sub.response.status;
    this.#isProxied = sub.attemptCount > 0;
    if (isAborted) return;
    // As in nginx: what a peer said, not what `add_header` says.
    if (this.#status === 401) this.#challenges = sub.upstreamHead?.headers.getAll('www-authenticate') ?? [];
    for (const { assign, value } of this.#assignments) assign(ex, value.evaluate(sub));
    // A request is limited once, whichever part of it came first.
    ex.limitReqStatus = sub.limitReqStatus;
    ex.limitConnStatus = sub.limitConnStatus;
  }

  onSubrequestOver(): void {
    const ex = this.#ex;
    this.#sub = null;
    if (this.#isAsking) return;
    ex.content = null;
    if (this.#settle() === NEXT) runPhases(ex);
    // An exchange that was answered has no content any more, and a client that is gone sends no other request.
    if (this.#isClientGone) (ex.content as ContentState | null)?.onClientAborted();
  }

  onClientAborted(reason?: string, cause: Error | null = null): void {
    this.#isClientGone = true;
    this.#sub?.clientAborted(reason, cause);
  }

  onWritable(): void {
    // nothing was written
  }

  /** The request ended in another way. */
  recycle(): void {
    const sub = this.#sub;
    this.#isAsking = true;
    sub?.cancel();
  }

  #settle(): PhaseResult {
    const ex = this.#ex;
    if (this.#isAborted) {
      ex.response.status = this.#status;
      ex.keepAlive = false;
      ex.stream.abort();
      return DONE;
    }
    return settleAccess(ex, this.#verdict(ex));
  }

  #verdict(ex: Exchange): AccessVerdict {
    const status = this.#status;
    if (status === 403) return status;
    if (status === 401) {
      for (const challenge of this.#challenges) ex.response.add('WWW-Authenticate', challenge);
      return status;
    }
    if (status >= 200 && status < 300) return GRANTED;
    // nginx still says what it did last.
    const doing = this.#isProxied ? ' while sending to client' : '';
    ex.location.errorLog.write('error', ex, `auth request unexpected status: ${status}${doing}`);
    return 500;
  }
}
