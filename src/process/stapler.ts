import { X509Certificate } from 'node:crypto';
import { encodeRequest } from '../net/ocsp/certificate-id.ts';
import type { OcspFetch } from '../net/ocsp/fetch-response.ts';
import { checkResponse, OcspError, type OcspQuestion } from '../net/ocsp/ocsp-response.ts';
import type { Staple, StapleJob } from '../net/ocsp/staple-plan.ts';
import type { Log } from '../observe/error-log.ts';

/** nginx's: a response is asked for again an hour later, or five minutes before it ends, but not sooner than after five minutes. */
const REFRESH_MS = 3_600_000;
const AHEAD_MS = 300_000;
/** After a failure: doubled each time. */
const FIRST_RETRY_MS = 10_000;
const MAX_RETRY_MS = 300_000;
const TIMEOUT_MS = 10_000;
/** A response that names no end. */
const UNTOLD_LIFE_MS = 86_400_000;
/** Certificates that are asked about at the same time. */
const MAX_FETCHES = 4;

export interface StaplerInit {
  readonly log: Log;
  /** To all workers. */
  readonly onStaple: (staple: Staple) => void;
  /** Wall clock. */
  readonly wallMs: () => number;
  readonly fetch: (what: OcspFetch) => Promise<Buffer>;
}

interface Work {
  readonly job: StapleJob;
  readonly stopped: AbortController;
  staple: Staple | null;
  failures: number;
  timer: NodeJS.Timeout | null;
}

/**
 * `ssl_stapling`: keeps an OCSP response for each certificate, in the primary, once for all workers. Nobody waits for it: a handshake goes
 * without while there is none. A responder that fails costs a warning; the response that there is stays until it ends.
 */
export class Stapler {
  readonly #init: StaplerInit;
  #works = new Map<string, Work>();
  readonly #queue: Work[] = [];
  #fetches = 0;

  constructor(init: StaplerInit) {
    this.#init = init;
  }

  /** Responses that a worker which starts has to know. */
  get staples(): Staple[] {
    return [...this.#works.values()].flatMap(({ staple }) => staple ?? []);
  }

  /** A configuration is in force. What was asked for before and still is lives on. */
  follow(jobs: readonly StapleJob[]): void {
    const before = this.#works;
    this.#works = new Map();
    for (const job of jobs) {
      const known = before.get(job.key);
      before.delete(job.key);
      const work = known ?? { job, stopped: new AbortController(), staple: null, failures: 0, timer: null };
      this.#works.set(job.key, work);
      if (known === undefined) this.#enqueue(work);
    }
    for (const work of before.values()) this.#end(work);
  }

  stop(): void {
    this.follow([]);
  }

  #end(work: Work): void {
    work.stopped.abort();
    if (work.timer !== null) clearTimeout(work.timer);
    if (work.staple !== null) this.#init.onStaple({ key: work.job.key, response: null, untilMs: null });
  }

  #enqueue(work: Work): void {
    this.#queue.push(work);
    this.#next();
  }

  #next(): void {
    while (this.#fetches < MAX_FETCHES) {
      const work = this.#queue.shift();
      if (work === undefined) return;
      if (work.stopped.signal.aborted) continue;
      this.#fetches++;
      void this.#fetch(work).finally(() => {
        this.#fetches--;
        this.#next();
      });
    }
  }

  /** Never rejects. */
  async #fetch(work: Work): Promise<void> {
    const { job, stopped } = work;
    const { log, onStaple, wallMs } = this.#init;
    try {
      const question = questionOf(job);
      const response = await this.#init.fetch({
        responder: job.responder,
        request: encodeRequest(question.certificate, question.issuer),
        timeoutMs: TIMEOUT_MS,
        signal: stopped.signal,
      });
      if (stopped.signal.aborted) return;
      const now = wallMs();
      const untilMs = checkResponse(response, question, now).nextUpdateMs ?? now + UNTOLD_LIFE_MS;
      work.failures = 0;
      work.staple = { key: job.key, response: response.toString('base64'), untilMs };
      onStaple(work.staple);
      this.#later(work, Math.max(Math.min(untilMs - now - AHEAD_MS, REFRESH_MS), AHEAD_MS));
    } catch (error) {
      if (stopped.signal.aborted) return;
      const place = `responder: ${hostOf(job.responder)}, certificate: "${job.file}"`;
      log.write('warn', `${(error as Error).message} while requesting certificate status, ${place}`);
      if (error instanceof OcspError && error.isRevoked && work.staple !== null) {
        work.staple = null;
        onStaple({ key: job.key, response: null, untilMs: null });
      }
      this.#later(work, Math.min(FIRST_RETRY_MS * 2 ** work.failures++, MAX_RETRY_MS));
    }
  }

  #later(work: Work, delayMs: number): void {
    work.timer = setTimeout(() => this.#enqueue(work), delayMs).unref();
  }
}

function questionOf({ certificate, issuer, trusted, verifiesSigner }: StapleJob): OcspQuestion {
  return {
    certificate: new X509Certificate(certificate),
    issuer: new X509Certificate(issuer),
    trusted: trusted.map((pem) => new X509Certificate(pem)),
    verifiesSigner,
  };
}

function hostOf(url: string): string {
  return URL.parse(url)?.host ?? url;
}
