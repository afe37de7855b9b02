import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from 'node:http2';

export interface H2Response {
  readonly status: number;
  /** Names and values in turn, as they came, `:status` left out. */
  readonly fields: readonly string[];
  readonly body: Buffer;
  readonly trailers: Readonly<Record<string, string | string[] | undefined>> | null;
  /** Status and fields of interim responses. */
  readonly interim: readonly Readonly<Record<string, unknown>>[];
  /** Code with which the stream ended; 0 = in order. */
  readonly resetCode: number;
}

/** A client of HTTP/2: one connection. `close()` it in every case. */
export class H2Client {
  readonly session: ClientHttp2Session;
  /** Code of the GOAWAY that came; null: none. */
  goawayCode: number | null = null;
  isClosed = false;
  readonly closed: Promise<void>;

  private constructor(session: ClientHttp2Session) {
    this.session = session;
    session.on('error', () => undefined);
    session.on('goaway', (code) => {
      this.goawayCode = code;
    });
    this.closed = new Promise((resolve) => {
      session.once('close', () => {
        this.isClosed = true;
        resolve();
      });
    });
  }

  /** `isTls`: certificates are not verified. */
  static connect(
    port: number,
    options: { isTls?: boolean; serverName?: string; windowBytes?: number } = {},
  ): Promise<H2Client> {
    const { isTls = false, serverName, windowBytes } = options;
    const session = connect(`${isTls ? 'https' : 'http'}://127.0.0.1:${port}`, {
      rejectUnauthorized: false,
      ...(serverName !== undefined && { servername: serverName }),
      ...(windowBytes !== undefined && { settings: { initialWindowSize: windowBytes } }),
    });
    return new Promise((resolve, reject) => {
      session.once('error', reject);
      session.once('remoteSettings', () => {
        session.off('error', reject);
        resolve(new H2Client(session));
      });
    });
  }

  /** Opens a request; `endStream` false leaves its body to the caller. */
  open(headers: OutgoingHttpHeaders | readonly string[], endStream = true): ClientHttp2Stream {
    const stream = this.session.request(headers as OutgoingHttpHeaders, { endStream });
    stream.on('error', () => undefined);
    return stream;
  }

  /** One request and all of its response. */
  async ask(headers: OutgoingHttpHeaders | string, body?: Uint8Array | string): Promise<H2Response> {
    const all = typeof headers === 'string' ? { ':path': headers } : headers;
    const stream = this.open({ ':authority': 't', ...all }, body === undefined);
    const response = readResponse(stream);
    if (body !== undefined) stream.end(typeof body === 'string' ? Buffer.from(body, 'latin1') : body);
    return response;
  }

  close(): void {
    this.session.destroy();
  }
}

/** Everything that comes on a stream, to its end. */
export function readResponse(stream: ClientHttp2Stream): Promise<H2Response> {
  let status = 0;
  let fields: string[] = [];
  let trailers: H2Response['trailers'] = null;
  const interim: Record<string, unknown>[] = [];
  const chunks: Buffer[] = [];
  stream.on('headers', (headers) => interim.push({ ...headers }));
  stream.on('response', (headers, _flags, raw) => {
    status = Number(headers[':status']);
    fields = (raw as unknown as string[]).slice(2);
  });
  stream.on('trailers', (headers) => {
    trailers = { ...headers };
  });
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => {
    stream.once('close', () => {
      resolve({ status, fields, body: Buffer.concat(chunks), trailers, interim, resetCode: stream.rstCode });
    });
  });
}

/** Value of a field of a response; undefined when there is none. */
export function fieldOf(response: H2Response, name: string): string | undefined {
  const at = response.fields.findIndex((text, i) => i % 2 === 0 && text === name);
  return at < 0 ? undefined : response.fields[at + 1];
}
