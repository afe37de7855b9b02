import type { ClientConnection, ClientStream } from '../../../../src/http/client-stream.ts';
import { Exchange } from '../../../../src/http/exchange.ts';
import type { HeaderBlock } from '../../../../src/http/header-block.ts';
import { knownHeaderIdOf } from '../../../../src/http/known-header.ts';
import { type CoreSettings, Location, type VirtualServer } from '../../../../src/http/location.ts';

/** Fills a block with fields, as a parser would. */
export function fillBlock(block: HeaderBlock, fields: readonly (readonly [name: string, value: string])[]): void {
  block.reset(Buffer.from(fields.map(([name, value]) => name + value).join(''), 'latin1'));
  let at = 0;
  for (const [name, value] of fields) {
    const nameEnd = at + name.length;
    const valueEnd = nameEnd + value.length;
    block.add(at, nameEnd, nameEnd, valueEnd, knownHeaderIdOf(name));
    at = valueEnd;
  }
}

export interface SampleRequest {
  readonly line?: string;
  readonly fields?: readonly (readonly [name: string, value: string])[];
  readonly connection?: Partial<ClientConnection>;
  readonly core?: Partial<CoreSettings>;
}

/** An exchange as it is when the phases begin, made from a request line and fields; no sockets. */
export function sampleExchange(sample: SampleRequest = {}): Exchange {
  const connection = {
    id: 7,
    remoteAddress: '127.0.0.1',
    remotePort: 40_000,
    localAddress: '127.0.0.2',
    localPort: 8080,
    unixPath: '',
    isTls: false,
    acceptedAtMs: 0,
    requests: 3,
    ...sample.connection,
  } as ClientConnection;
  const core = {
    keepaliveHeaderSec: 0,
    limitRateBytes: 0,
    chunkedTransferEncoding: true,
    ...sample.core,
  } as CoreSettings;
  const log = { isEnabled: () => false, writeWaiting: () => undefined, write: () => undefined };
  const server = { name: 'first.example', defaultLocation: new Location('', core, log) } as unknown as VirtualServer;
  const ex = new Exchange(connection, {} as ClientStream, server);
  const line = sample.line ?? 'GET /a?b=c HTTP/1.1';
  const [method = '', target = '', protocol = ''] = line.split(' ');
  const fields = [['', line] as const, ...(sample.fields ?? [])];
  fillBlock(ex.request.headers, fields);
  // The line lies before the fields in the same bytes; it is no field.
  ex.request.headers.count = 0;
  let at = line.length;
  for (const [name, value] of sample.fields ?? []) {
    const nameEnd = at + name.length;
    ex.request.headers.add(at, nameEnd, nameEnd, nameEnd + value.length, knownHeaderIdOf(name));
    at = nameEnd + value.length;
  }
  ex.request.lineEnd = line.length;
  ex.request.method = method;
  ex.request.target = target;
  ex.request.version = protocol === 'HTTP/1.0' ? 10 : protocol === '' ? 9 : 11;
  const [path = '', args = ''] = target.split('?');
  ex.uri = path;
  ex.args = args;
  return ex;
}
