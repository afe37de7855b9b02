import type { Exchange, Recyclable } from '../../http/exchange.ts';
import { Subrequest, type SubrequestOwner } from '../../http/subrequest.ts';
import type { MirroredBody } from './mirrored-body.ts';

/** Copies that this worker has under way. */
let running = 0;
let waiting: (() => void)[] = [];

/** A worker that is to end: resolves when its copies are out. */
export function untilMirrored(): Promise<void> {
  return running === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve));
}

/** One copy of a request. It goes on when the request is over, and ends with it when that is given up. */
export class MirroredRequest implements SubrequestOwner, Recyclable {
  readonly #parent: Exchange;
  readonly #body: MirroredBody | null;
  #sub: Subrequest | null = null;

  private constructor(parent: Exchange, body: MirroredBody | null) {
    this.#parent = parent;
    this.#body = body;
  }

  /** Sends it once the request itself is on its way: what that one makes of variables comes first, as in nginx. */
  static send(parent: Exchange, uri: string, body: MirroredBody | null, mostRunning: number): void {
    if (running >= mostRunning) {
      parent.location.errorLog.write('warn', parent, `mirror "${uri}" is left out: ${running} are running`);
      return;
    }
    const mirrored = new MirroredRequest(parent, body);
    const init = { uri, args: parent.args, method: parent.request.method, isDetached: true };
    const sub = Subrequest.make(parent, init, mirrored);
    if (sub === null) return;
    running++;
    mirrored.#sub = sub;
    parent.held.push(mirrored);
    if (body !== null) {
      body.take();
      sub.exchange.body = body.body;
      sub.exchange.readBody = body.body;
    }
    queueMicrotask(() => mirrored.#begin());
  }

  #begin(): void {
    const sub = this.#sub;
    if (sub === null) return;
    sub.detach();
    sub.begin();
  }

  /** The request is over. */
  recycle(): void {
    const sub = this.#sub;
    if (sub === null) return;
    if (this.#parent.isComplete) sub.detach();
    else sub.cancel();
  }

  onSubrequestAnswered(): void {
    // nobody wants to know
  }

  onSubrequestOver(): void {
    this.#sub = null;
    this.#body?.recycle();
    if (--running > 0) return;
    for (const resolve of waiting) resolve();
    waiting = [];
  }
}
