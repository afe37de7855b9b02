import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { Client } from 'undici';
import { wallMs } from '../core/clock.ts';
import { type CertificateDemand, viewCertificate } from './certificate.ts';
import { failed, type Probe, type ProbeFacts, type ProbeResult, type ProbeTarget, passed, timedOut } from './probe.ts';
import { openProbeSocket } from './probe-socket.ts';
import { socketFailure } from './socket-failure.ts';
import { hasStatus, type StatusSet, statusSetText } from './status-set.ts';

export interface UrlProbeOptions {
  /** What is asked for. Its host is what the `Host` field and SNI say; where the connection goes is the target's to say. */
  readonly url: URL;
  readonly status: StatusSet;
  /** Text that the body must have. Null: any body will do. */
  readonly bodyText: string | null;
  readonly certificate: CertificateDemand;
  /** Roots to trust, in PEM. Null: those that Node brings. */
  readonly ca: string | null;
  /** Redirects followed before the status is looked at. The last answer counts. */
  readonly maxRedirects: number;
  readonly hasProxyProtocol: boolean;
  readonly userAgent: string;
}

/** Bytes of a body that are looked at. */
const BODY_BYTES = 65_536;
const REDIRECTS = [301, 302, 303, 307, 308];

/** A user's look at a balancer or a backend: GET, its certificate, its status, its body. */
export function urlProbe(options: UrlProbeOptions): Probe {
  return { run: (target, signal) => new UrlLook(options, signal).run(target) };
}

interface Answer {
  readonly status: number;
  readonly location: string | null;
  readonly body: string;
}

class UrlLook {
  readonly #options: UrlProbeOptions;
  readonly #signal: AbortSignal;
  #doing = 'connecting';
  #facts: ProbeFacts = {};

  constructor(options: UrlProbeOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  async run(target: ProbeTarget): Promise<ProbeResult> {
    try {
      return await this.#look(target);
    } catch (error) {
      if (this.#signal.aborted) return timedOut(this.#doing, this.#facts);
      return failed(this.#doing, socketFailure(error), this.#facts);
    }
  }

  async #look(first: ProbeTarget): Promise<ProbeResult> {
    const { status: wanted, bodyText, maxRedirects } = this.#options;
    let target = first;
    let { url } = this.#options;
    for (let redirects = 0; ; redirects++) {
      const answer = await this.#get(target, url);
      if (typeof answer === 'string') return failed('checking the certificate', answer, this.#facts);
      this.#facts = { ...this.#facts, status: answer.status, ...(redirects > 0 ? { redirects, url: url.href } : {}) };
      const next = answer.location === null || redirects >= maxRedirects ? null : URL.parse(answer.location, url);
      if (next !== null && /^https?:$/.test(next.protocol) && REDIRECTS.includes(answer.status)) {
        if (next.host !== url.host || next.protocol !== url.protocol) target = targetOfUrl(next);
        url = next;
        continue;
      }
      if (!hasStatus(wanted, answer.status)) {
        const why = `status ${answer.status}, ${statusSetText(wanted)} expected`;
        return failed(
          'checking status code',
          next === null ? why : `${why}, after ${redirects} redirects`,
          this.#facts,
        );
      }
      if (bodyText !== null && !answer.body.includes(bodyText)) {
        return failed('checking body', `the body has no ${JSON.stringify(bodyText)}`, this.#facts);
      }
      return passed(bodyText === null ? 'checking status code' : 'checking body', this.#facts);
    }
  }

  /** One request on a connection of its own. A string is what is wrong with the certificate. */
  async #get(target: ProbeTarget, url: URL): Promise<Answer | string> {
    const { ca, certificate, hasProxyProtocol, userAgent } = this.#options;
    this.#doing = 'connecting';
    const serverName = url.hostname.replace(/^\[|\]$/g, '');
    const tls = url.protocol === 'https:' ? { serverName, ca } : null;
    const socket = await openProbeSocket(target, { tls, hasProxyProtocol }, this.#signal);
    if (socket instanceof TLSSocket) {
      const { reason, facts } = viewCertificate(socket, certificate, wallMs());
      this.#facts = { ...this.#facts, ...facts };
      if (reason !== '') {
        socket.destroy();
        return reason;
      }
    }
    this.#doing = 'waiting for the answer';
    const client = clientOver(socket, url);
    try {
      const response = await client.request({
        method: 'GET',
        path: url.pathname + url.search,
        headers: { host: url.host, accept: '*/*', 'user-agent': userAgent },
        reset: true,
        signal: this.#signal,
      });
      this.#doing = 'reading the body';
      const body = await readText(response.body);
      const { location } = response.headers;
      return { status: response.statusCode, location: typeof location === 'string' ? location : null, body };
    } finally {
      // What it still says of a connection that nobody wants is nobody's.
      client.destroy().catch(() => undefined);
      socket.destroy();
    }
  }
}

/** Where a URL's own host is. */
export function targetOfUrl(url: URL): ProbeTarget {
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  return { kind: 'tcp', host: url.hostname.replace(/^\[|\]$/g, ''), port };
}

/** undici over a socket that is connected already. The signal is the only limit of time. */
function clientOver(socket: Socket, url: URL): Client {
  return new Client(url.origin, {
    // Not at once: undici has not yet noted that it is connecting.
    connect: (_options, callback) => queueMicrotask(() => callback(null, socket)),
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= BODY_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}
