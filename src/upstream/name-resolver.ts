import type { Deadlined, Deadlines } from '../core/deadlines.ts';
import { type AskForName, askNameServers, HOST_NOT_FOUND, type NameFailure, type NameQuery } from './name-query.ts';
import type { NameServers } from './name-servers.ts';
import type { ResolvedAddress } from './resolved-names.ts';

/** Who wants the addresses of a name. One of the two is called, once. */
export interface NameWaiter {
  /** The same array as long as the answer is the same. */
  onResolved(addresses: readonly ResolvedAddress[]): void;
  onUnresolved(failure: NameFailure): void;
}

/** Names that nobody answers for in time. */
export const NOT_IN_TIME: NameFailure = { code: 110, words: 'Operation timed out' };

/** Each question has a socket of its own: beyond so many at once, names that nobody has asked for yet are refused. */
const MOST_QUESTIONS = 500;
export const TOO_MANY: NameFailure = { code: 2, words: `more than ${MOST_QUESTIONS} names are being resolved` };

/** Most answers kept; the one that was asked for longest ago makes room. */
const MOST_ANSWERS = 1000;

export interface NameResolverInit {
  readonly conf: NameServers;
  readonly deadlines: Deadlines;
  readonly now: () => number;
  /** Default: DNS. */
  readonly ask?: AskForName;
}

/**
 * The names of one `resolver` directive, in one worker. Whoever asks for a name that is being asked for waits along; answers are kept as long
 * as they may be. Failures are not kept, as in nginx: the next request asks again.
 */
export class NameResolver {
  readonly #conf: NameServers;
  readonly #deadlines: Deadlines;
  readonly #now: () => number;
  readonly #ask: AskForName;
  readonly #answers = new Map<string, { readonly addresses: readonly ResolvedAddress[]; readonly untilMs: number }>();
  readonly #questions = new Map<string, Question>();
  #turn = 0;

  constructor({ conf, deadlines, now, ask = askNameServers }: NameResolverInit) {
    this.#conf = conf;
    this.#deadlines = deadlines;
    this.#now = now;
    this.#ask = ask;
  }

  /**
   * The waiter is called before this returns when the answer is at hand: then null; else what gives the wait up.
   * `timeoutMs`: `resolver_timeout`; 0 = no limit.
   */
  resolve(name: string, timeoutMs: number, waiter: NameWaiter): { cancel(): void } | null {
    const key = normalName(name);
    const known = this.#answers.get(key);
    if (known !== undefined) {
      this.#answers.delete(key);
      if (known.untilMs > this.#now()) {
        this.#answers.set(key, known);
        waiter.onResolved(known.addresses);
        return null;
      }
    }
    if (!isName(key)) {
      waiter.onUnresolved(HOST_NOT_FOUND);
      return null;
    }
    if (!this.#questions.has(key) && this.#questions.size >= MOST_QUESTIONS) {
      waiter.onUnresolved(TOO_MANY);
      return null;
    }
    const question = this.#questions.get(key) ?? this.#begin(key);
    const wait = new Wait(waiter, question, this.#deadlines);
    if (timeoutMs > 0) this.#deadlines.set(wait, this.#now() + timeoutMs);
    return wait;
  }

  #begin(key: string): Question {
    const query = this.#ask(key, this.#conf, this.#turn++);
    const question = new Question(query, () => this.#questions.delete(key));
    this.#questions.set(key, question);
    void query.result.then((found) => {
      if (this.#questions.get(key) !== question) return;
      this.#questions.delete(key);
      if ('addresses' in found) this.#keep(key, found.addresses, this.#conf.validMs ?? found.ttlMs);
      question.settle(found);
    });
    return question;
  }

  #keep(key: string, addresses: readonly ResolvedAddress[], forMs: number): void {
    if (forMs <= 0) return;
    const oldest = this.#answers.keys().next().value;
    if (oldest !== undefined && this.#answers.size >= MOST_ANSWERS) this.#answers.delete(oldest);
    this.#answers.set(key, { addresses, untilMs: this.#now() + forMs });
  }
}

/** A name that is being asked for, and everybody who waits. */
class Question {
  readonly waits = new Set<Wait>();
  readonly #query: NameQuery;
  readonly #onGivenUp: () => void;

  constructor(query: NameQuery, onGivenUp: () => void) {
    this.#query = query;
    this.#onGivenUp = onGivenUp;
  }

  settle(found: { readonly addresses: readonly ResolvedAddress[] } | NameFailure): void {
    for (const wait of [...this.waits]) wait.end(found);
  }

  leave(wait: Wait): void {
    if (!this.waits.delete(wait) || this.waits.size > 0) return;
    this.#onGivenUp();
    this.#query.cancel();
  }
}

class Wait implements Deadlined {
  deadlineAtMs = Number.POSITIVE_INFINITY;
  sweepIndex = -1;
  readonly #waiter: NameWaiter;
  readonly #question: Question;
  readonly #deadlines: Deadlines;
  #isOver = false;

  constructor(waiter: NameWaiter, question: Question, deadlines: Deadlines) {
    this.#waiter = waiter;
    this.#question = question;
    this.#deadlines = deadlines;
    question.waits.add(this);
  }

  end(found: { readonly addresses: readonly ResolvedAddress[] } | NameFailure): void {
    // One that was called before may have cancelled this one.
    if (this.#isOver) return;
    this.cancel();
    if ('addresses' in found) this.#waiter.onResolved(found.addresses);
    else this.#waiter.onUnresolved(found);
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#deadlines.remove(this);
    this.#question.leave(this);
  }

  onDeadline(): void {
    this.end(NOT_IN_TIME);
  }
}

/** Names know no case, and a dot at the end says nothing. */
export function normalName(name: string): string {
  return (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase();
}

/** Labels of 1 to 63 bytes, 253 in all (RFC 1035 section 2.3.4); none of the bytes that mean something to whoever writes the query. */
function isName(name: string): boolean {
  if (name.length === 0 || name.length > 253 || /[\0-\x20\\\x7f-\xff]/.test(name)) return false;
  return name.split('.').every((label) => label.length > 0 && label.length <= 63);
}
