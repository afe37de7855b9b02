import { type IncomingMessage, request } from 'node:http';

/** Responses are of one or two KB; with a chain of certificates a few more. */
const MAX_RESPONSE_BYTES = 65_536;

export interface OcspFetch {
  /** `http://host[:port]/path`. */
  readonly responder: string;
  /** DER. */
  readonly request: Buffer;
  /** For all of it. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Asks a responder (RFC 6960 appendix A, by GET, as nginx does). Rejects with an Error that says why there is no answer. */
export function fetchResponse({ responder, request: body, timeoutMs, signal }: OcspFetch): Promise<Buffer> {
  const url = `${responder.replace(/\/$/, '')}/${encodeURIComponent(body.toString('base64'))}`;
  return new Promise((resolve, reject) => {
    const timeout = AbortSignal.timeout(timeoutMs);
    const fail = (error: Error): void =>
      reject(timeout.aborted ? new Error(`OCSP responder timed out after ${timeoutMs} ms`) : error);
    try {
      const asked = request(url, { agent: false, signal: AbortSignal.any([signal, timeout]) }, (response) => {
        readResponse(response).then(resolve, (error: Error) => {
          asked.destroy();
          fail(error);
        });
      });
      asked.once('error', fail);
      asked.end();
    } catch (error) {
      reject(error as Error); // no URL
    }
  });
}

async function readResponse(response: IncomingMessage): Promise<Buffer> {
  const { statusCode = 0, headers } = response;
  if (statusCode !== 200) throw new Error(`OCSP responder sent status ${statusCode}`);
  const [type] = (headers['content-type'] ?? '').split(';');
  if (type?.trim().toLowerCase() !== 'application/ocsp-response') {
    throw new Error(`OCSP responder sent invalid "Content-Type" header: "${type?.slice(0, 100)}"`);
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_RESPONSE_BYTES) throw new Error(`OCSP responder sent more than ${MAX_RESPONSE_BYTES} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}
