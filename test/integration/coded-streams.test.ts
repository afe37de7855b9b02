import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { workerPids } from '../process/ask.ts';
import { poll } from '../support/deadline.ts';
import { freePort } from '../support/free-port.ts';
import { H2Client } from '../support/h2-client.ts';
import { residentBytes } from '../support/process-facts.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';

const MIB = 1 << 20;
const TEXT = Array.from({ length: 50_000 }, (_, i) => `line ${i * 7919}`).join('\n');
const FLUSHED = { finishFlush: constants.Z_SYNC_FLUSH };
const FLUSHED_BR = { finishFlush: constants.BROTLI_OPERATION_FLUSH };

/** What the peer does with each path; the test says it. */
const answers = new Map<string, (response: ServerResponse, asked: IncomingMessage) => void>();
let peer: Server;
let proxy: RunningProxy;
let port = 0;
const agents: IncomingMessage[] = [];

beforeAll(async () => {
  peer = createServer((asked, response) => answers.get(asked.url?.split('?')[0] ?? '')?.(response, asked));
  await new Promise<void>((resolve) => peer.listen(0, '127.0.0.1', resolve));
  port = await freePort();
  proxy = await startProxy({
    conf: (prefix) => `worker_processes 1; error_log error.log info; events {}
      http {
        log_format ratio '$uri $status gzip=$gzip_ratio brotli=$brotli_ratio';
        access_log access.log ratio;
        types { text/html html; text/plain txt; }
        default_type text/html;
        gzip_vary on;
        proxy_set_header Connection "";
        server {
          listen 127.0.0.1:${port};
          http2 on;
          root ${prefix}/www;
          proxy_pass_trailers on;
          location /gzip/ { gzip on; gzip_types *; location /gzip/9/ { gzip_comp_level 9; proxy_pass http://127.0.0.1:${(peer.address() as AddressInfo).port}/; }
            location /gzip/unbuffered/ { proxy_buffering off; proxy_pass http://127.0.0.1:${(peer.address() as AddressInfo).port}/; }
            proxy_pass http://127.0.0.1:${(peer.address() as AddressInfo).port}/; }
          location /brotli/ { brotli on; brotli_types *; location /brotli/11/ { brotli_comp_level 11; proxy_pass http://127.0.0.1:${(peer.address() as AddressInfo).port}/; }
            proxy_pass http://127.0.0.1:${(peer.address() as AddressInfo).port}/; }
          location /gunzip/ { gunzip on; proxy_pass http://127.0.0.1:${(peer.address() as AddressInfo).port}/; }
          location /chain/ { gunzip on; brotli on; gzip on; proxy_pass http://127.0.0.1:${(peer.address() as AddressInfo).port}/; }
          location /files/ { brotli on; gzip on; brotli_min_length 1k; alias ${prefix}/www/; }
          location /types/ { brotli on; brotli_types text/plain; alias ${prefix}/www/; }
          location /html-only/ { brotli on; alias ${prefix}/www/; }
          location /static/ { brotli_static on; gzip_static on; alias ${prefix}/www/; }
          location /static-always/ { brotli_static always; alias ${prefix}/www/; }
          location /in-if { if ($arg_on) { brotli on; } return 200 "${'text '.repeat(100)}"; }
          location /window/ { brotli on; brotli_window 1k; brotli_comp_level 0; brotli_buffers 16 8k; alias ${prefix}/www/; }
        }
      }`,
    files: {
      'www/large.html': TEXT,
      'www/small.html': 'x'.repeat(500),
      'www/large.txt': TEXT,
      'www/both.html': 'plain',
      'www/both.html.gz': gzipSync('packed by gzip').toString('latin1'),
      'www/both.html.br': brotliCompressSync('packed by brotli').toString('latin1'),
      'www/only-gz.html': 'plain',
      'www/only-gz.html.gz': gzipSync('packed by gzip').toString('latin1'),
    },
  });
});

afterEach(() => {
  for (const response of agents.splice(0)) response.destroy();
  answers.clear();
});

afterAll(async () => {
  await proxy.stop();
  peer.closeAllConnections();
  await new Promise((resolve) => peer.close(resolve));
});

interface Answer {
  readonly response: IncomingMessage;
  /** What has come of the body so far. */
  readonly soFar: () => Buffer;
  readonly whole: () => Promise<Buffer>;
}

function ask(path: string, accept = '', headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const coding = accept === '' ? {} : { 'Accept-Encoding': accept };
    const asking = request({ port, host: '127.0.0.1', path, agent: false, headers: { ...coding, ...headers } });
    asking.on('error', reject);
    asking.on('response', (response) => {
      agents.push(response);
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      const ended = new Promise<void>((done, failed) => {
        response.on('end', done);
        response.on('error', failed);
      });
      ended.catch(() => undefined);
      const soFar = (): Buffer => Buffer.concat(pieces);
      resolve({ response, soFar, whole: () => ended.then(soFar) });
    });
    asking.end();
  });
}

const until = async (isSo: () => boolean): Promise<void> => {
  expect(await poll(() => isSo() || undefined, 5000)).toBe(true);
};

describe('events of a stream', () => {
  test.each([
    ['/gzip/', 'gzip', (bytes: Buffer) => gunzipSync(bytes, FLUSHED)],
    ['/gzip/9/', 'gzip', (bytes: Buffer) => gunzipSync(bytes, FLUSHED)],
    ['/gzip/unbuffered/', 'gzip', (bytes: Buffer) => gunzipSync(bytes, FLUSHED)],
    ['/brotli/', 'br', (bytes: Buffer) => brotliDecompressSync(bytes, FLUSHED_BR)],
    ['/brotli/11/', 'br', (bytes: Buffer) => brotliDecompressSync(bytes, FLUSHED_BR)],
  ])('%s: each arrives before the next one is there', async (path, coding, decode) => {
    let events: ServerResponse | null = null;
    answers.set('/events', (response) => {
      events = response;
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write('data: 0\n\n');
    });
    const { response, soFar, whole } = await ask(`${path}events`, coding);
    expect(response.headers['content-encoding']).toBe(coding);
    let expected = 'data: 0\n\n';
    for (let i = 1; i <= 5; i++) {
      await until(() => soFar().length > 0 && decode(soFar()).toString() === expected);
      (events as ServerResponse | null)?.write(`data: ${i}\n\n`);
      expected += `data: ${i}\n\n`;
    }
    (events as ServerResponse | null)?.end();
    expect(decode(await whole()).toString()).toBe(expected);
  });

  test('unpacked: each arrives before the next one is there', async () => {
    let events: ServerResponse | null = null;
    answers.set('/events', (response) => {
      events = response;
      response.writeHead(200, { 'Content-Encoding': 'gzip' });
    });
    const asking = ask('/gunzip/events');
    await until(() => events !== null);
    const out = events as unknown as ServerResponse;
    // Members of one event each.
    out.write(gzipSync('one '));
    const { soFar, whole } = await asking;
    await until(() => soFar().toString() === 'one ');
    out.end(gzipSync('two'));
    expect((await whole()).toString()).toBe('one two');
  });
});

describe('bodies', () => {
  test.each([
    ['/gzip/', 'gzip'],
    ['/gzip/9/', 'gzip'],
    ['/brotli/', 'br'],
    ['/brotli/11/', 'br'],
  ])('%s: a large one comes whole, known length or not', async (path, coding) => {
    const text = path.includes('11') ? TEXT.slice(0, 100_000) : TEXT.repeat(4);
    answers.set('/known', (response) => response.setHeader('Content-Length', text.length).end(text));
    answers.set('/unknown', (response) => {
      for (let at = 0; at < text.length; at += 10_007) response.write(text.slice(at, at + 10_007));
      response.end();
    });
    for (const name of ['known', 'unknown']) {
      const { response, whole } = await ask(path + name, coding);
      expect(response.headers['content-length']).toBeUndefined();
      const bytes = await whole();
      const decoded = coding === 'br' ? brotliDecompressSync(bytes) : gunzipSync(bytes);
      expect(decoded.toString() === text).toBe(true);
    }
  });

  test('packed anew in another coding', async () => {
    answers.set('/x', (response) => {
      response.writeHead(200, { 'Content-Type': 'text/html', 'Content-Encoding': 'gzip', ETag: '"1"' });
      response.end(gzipSync(TEXT));
    });
    const br = await ask('/chain/x', 'br');
    expect(br.response.headers['content-encoding']).toBe('br');
    expect(br.response.headers['etag']).toBe('W/"1"');
    expect(brotliDecompressSync(await br.whole()).toString() === TEXT).toBe(true);
    const gzip = await ask('/chain/x', 'gzip, br');
    expect(gzip.response.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(await gzip.whole()).toString() === TEXT).toBe(true);
    const plain = await ask('/chain/x');
    expect(plain.response.headers['content-encoding']).toBeUndefined();
    expect((await plain.whole()).toString() === TEXT).toBe(true);
  });

  test('over HTTP/2', async () => {
    answers.set('/x', (response) => response.end(TEXT));
    const client = await H2Client.connect(port);
    try {
      for (const [path, coding] of [
        ['/gzip/x', 'gzip'],
        ['/brotli/x', 'br'],
        ['/files/large.html', 'gzip'],
      ] as const) {
        const answer = await client.ask({ ':path': path, 'accept-encoding': coding });
        expect(answer.fields).toContain('vary');
        const decoded = coding === 'br' ? brotliDecompressSync(answer.body) : gunzipSync(answer.body);
        expect(decoded.toString() === TEXT).toBe(true);
      }
    } finally {
      client.close();
    }
  });

  test('a bomb grows only as fast as the client takes it', async () => {
    const bomb = gzipSync(Buffer.alloc(400 * MIB), { level: 1 });
    answers.set('/bomb', (response) => response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(bomb));
    const [worker = 0] = workerPids(proxy);
    const before = residentBytes(worker);
    const { response, soFar } = await ask('/gunzip/bomb');
    response.pause();
    for (let i = 0; i < 200; i++) await turn();
    const { whole } = await ask('/files/small.html');
    expect((await whole()).length).toBe(500);
    expect(residentBytes(worker) - before).toBeLessThan(64 * MIB);
    expect(soFar().length).toBeLessThan(64 * MIB);
    response.destroy();
  });

  test('clients that leave in the middle leave nothing behind', async () => {
    let closed = 0;
    answers.set('/endless', (response) => {
      const more = (): void => {
        while (response.write(TEXT));
      };
      response.on('drain', more);
      response.on('close', () => closed++);
      more();
    });
    const paths = ['/gzip/endless', '/gzip/9/endless', '/brotli/endless', '/brotli/11/endless'];
    for (const path of paths) {
      const { response, soFar } = await ask(path, 'gzip, br');
      await until(() => soFar().length > 0);
      response.destroy();
    }
    await until(() => closed === paths.length);
    answers.set('/x', (response) => response.end(TEXT));
    const { whole } = await ask('/gzip/x', 'gzip');
    expect(gunzipSync(await whole()).toString() === TEXT).toBe(true);
  });

  test('a peer that breaks off: the client sees that something is missing', async () => {
    answers.set('/broken', (response) => {
      response.write(TEXT, () => response.destroy());
    });
    for (const path of ['/gzip/broken', '/gzip/9/broken', '/brotli/11/broken']) {
      const { whole } = await ask(path, 'gzip, br');
      await expect(whole()).rejects.toThrow('aborted');
    }
  });

  test('trailers of the peer come behind the packed body', async () => {
    answers.set('/trailers', (response) => {
      response.writeHead(200, { Trailer: 'X-Sum' });
      response.write(TEXT);
      response.addTrailers({ 'X-Sum': 'abc' });
      response.end();
    });
    for (const path of ['/gzip/trailers', '/gzip/9/trailers']) {
      const { response, whole } = await ask(path, 'gzip', { TE: 'trailers' });
      expect(gunzipSync(await whole()).toString() === TEXT).toBe(true);
      expect(response.trailers['x-sum']).toBe('abc');
    }
  });
});

describe('brotli', () => {
  const codingOf = async (path: string, accept: string): Promise<string | undefined> => {
    const { response, whole } = await ask(path, accept);
    await whole();
    return response.headers['content-encoding'];
  };

  test('goes before gzip where both are taken', async () => {
    expect(await codingOf('/files/large.html', 'gzip, br')).toBe('br');
    expect(await codingOf('/files/large.html', 'gzip')).toBe('gzip');
    expect(await codingOf('/files/large.html', 'br;q=0, gzip')).toBe('gzip');
    expect(await codingOf('/files/large.html', '')).toBeUndefined();
  });

  test('brotli_min_length leaves short ones to gzip', async () => {
    expect(await codingOf('/files/small.html', 'gzip, br')).toBe('gzip');
  });

  test('brotli_types: text/html and those that are named', async () => {
    expect(await codingOf('/types/large.txt', 'br')).toBe('br');
    expect(await codingOf('/types/large.html', 'br')).toBe('br');
    expect(await codingOf('/html-only/large.txt', 'br')).toBeUndefined();
  });

  test('in if', async () => {
    expect(await codingOf('/in-if?on=1', 'br')).toBe('br');
    expect(await codingOf('/in-if', 'br')).toBeUndefined();
  });

  test('brotli_window, brotli_comp_level, brotli_buffers', async () => {
    const { whole } = await ask('/window/large.html', 'br');
    expect(brotliDecompressSync(await whole()).toString() === TEXT).toBe(true);
  });

  test('no ranges, a weak tag, Vary', async () => {
    const { response, whole } = await ask('/files/large.html', 'br', { Range: 'bytes=0-9' });
    expect(response.statusCode).toBe(200);
    expect(response.headers['accept-ranges']).toBeUndefined();
    expect(response.headers['etag']).toMatch(/^W\/"/);
    expect(response.headers['vary']).toBe('Accept-Encoding');
    expect(brotliDecompressSync(await whole()).toString() === TEXT).toBe(true);
  });

  test('$brotli_ratio and $gzip_ratio', async () => {
    await codingOf('/files/large.html?br', 'br');
    await codingOf('/files/large.html?gzip', 'gzip');
    const log = readFileSync(join(proxy.prefix, 'access.log'), 'latin1');
    expect(log).toMatch(/large\.html 200 gzip=- brotli=\d+\.\d\d\n/);
    expect(log).toMatch(/large\.html 200 gzip=\d+\.\d\d brotli=-\n/);
  });

  test('brotli_static goes before gzip_static', async () => {
    const text = async (path: string, accept: string): Promise<string> => {
      const { response, whole } = await ask(path, accept);
      const bytes = await whole();
      const coding = response.headers['content-encoding'];
      const decoded = coding === 'br' ? brotliDecompressSync(bytes) : coding === 'gzip' ? gunzipSync(bytes) : bytes;
      return `${coding}, ${response.headers['vary']}: ${decoded}`;
    };
    expect(await text('/static/both.html', 'gzip, br')).toBe('br, Accept-Encoding: packed by brotli');
    expect(await text('/static/both.html', 'gzip')).toBe('gzip, Accept-Encoding: packed by gzip');
    expect(await text('/static/both.html', '')).toBe('undefined, Accept-Encoding: plain');
    expect(await text('/static/only-gz.html', 'gzip, br')).toBe('gzip, Accept-Encoding: packed by gzip');
    expect(await text('/static-always/both.html', '')).toBe('br, undefined: packed by brotli');
  });
});
