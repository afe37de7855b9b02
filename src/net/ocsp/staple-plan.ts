import { createHash } from 'node:crypto';
import { ServiceKey } from '../../http/http-module.ts';

/** A certificate whose status is to be asked for; plain JSON. */
export interface StapleJob {
  /** The same for the same question: responses live on over reloads. */
  readonly key: string;
  /** PEM. */
  readonly certificate: string;
  readonly issuer: string;
  readonly trusted: readonly string[];
  readonly verifiesSigner: boolean;
  /** URL. */
  readonly responder: string;
  /** Name of the certificate's file, for the log. */
  readonly file: string;
}

/** A response for a job: primary to workers; plain JSON. */
export interface Staple {
  readonly key: string;
  /** DER in base64; null: there is none to be had. */
  readonly response: string | null;
  /** On the wall clock; null: no end. */
  readonly untilMs: number | null;
}

/** A worker's responses, as the primary sends them. They outlive configurations. */
export class Staples {
  readonly #responses = new Map<string, { readonly response: Buffer; readonly untilMs: number }>();

  set({ key, response, untilMs }: Staple): void {
    if (response === null) this.#responses.delete(key);
    else {
      this.#responses.set(key, {
        response: Buffer.from(response, 'base64'),
        untilMs: untilMs ?? Number.POSITIVE_INFINITY,
      });
    }
  }

  /** Null: none, or it is over. */
  get(key: string, wallMs: number): Buffer | null {
    const found = this.#responses.get(key);
    return found !== undefined && wallMs < found.untilMs ? found.response : null;
  }
}

/** The OCSP responses of the configuration being compiled. */
export const STAPLES = new ServiceKey<StaplePlan>('OCSP responses');

export class StaplePlan {
  readonly staples: Staples;
  readonly #jobs = new Map<string, StapleJob>();

  constructor(staples: Staples) {
    this.staples = staples;
  }

  get jobs(): StapleJob[] {
    return [...this.#jobs.values()];
  }

  /** Key of the response. */
  add(job: Omit<StapleJob, 'key'>): string {
    const hash = createHash('sha256');
    const { certificate, issuer, trusted, verifiesSigner, responder } = job;
    for (const text of [certificate, issuer, ...trusted, String(verifiesSigner), responder]) {
      hash.update(`${text.length}:`).update(text);
    }
    const key = hash.digest('hex');
    this.#jobs.set(key, { ...job, key });
    return key;
  }
}
