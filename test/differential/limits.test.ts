import { reply } from '../support/scripted-backend.ts';
import { get, HALF_CLOSE, HANG_UP, head, inSuccession, on, post, raw, request } from './client-script.ts';
import { compare } from './compare.ts';

const echo = (got: { body: string }) => reply(`${got.body.length} bytes`);
const PROXY = 'proxy_pass http://%%A%%;';
const chunks = (...data: string[]) => [...data, ''].map((one) => `${one.length.toString(16)}\r\n${one}\r\n`).join('');

compare('client_max_body_size', {
  backends: { A: echo },
  http: `
    client_max_body_size 10;
    server {
      listen 127.0.0.1:%%PORT%%;
      location / { ${PROXY} }
      location /unlimited { client_max_body_size 0; ${PROXY} }
      location /kilo { client_max_body_size 1k; ${PROXY} }
      location /unbuffered { proxy_request_buffering off; ${PROXY} }
      location /return { return 200 "not read"; }
      location /buffer { client_max_body_size 64k; client_body_buffer_size 1k; ${PROXY} }
      location /in-file { client_max_body_size 64k; client_body_in_single_buffer on; ${PROXY} }
    }`,
  cases: {
    'just small enough': post('/', '1234567890'),
    'one byte too many': post('/', '12345678901'),
    'far too many, of which none is sent': on([
      head('POST / HTTP/1.1', 'Host: localhost', 'Content-Length: 1000000'),
      { responses: 1 },
      HANG_UP,
    ]),
    '0 means no limit': post('/unlimited', 'x'.repeat(3000)),
    'at its own level: enough': post('/kilo', 'x'.repeat(1024)),
    'at its own level: too much': post('/kilo', 'x'.repeat(1025)),
    'chunked, small enough': raw(
      head('POST / HTTP/1.1', 'Host: localhost', 'Connection: close', 'Transfer-Encoding: chunked'),
      chunks('12345', '67890'),
    ),
    'chunked, too much': raw(
      head('POST / HTTP/1.1', 'Host: localhost', 'Connection: close', 'Transfer-Encoding: chunked'),
      chunks('12345', '678901'),
    ),
    'unbuffered and too much': post('/unbuffered', '12345678901'),
    'unbuffered, chunked, too much at once': raw(
      head('POST /unbuffered HTTP/1.1', 'Host: localhost', 'Connection: close', 'Transfer-Encoding: chunked'),
      chunks('12345', '678901'),
    ),
    'return does not read the body, but the limit holds': post('/return', '12345678901'),
    'return with a small body': inSuccession(
      request('/return', { method: 'POST', body: 'abc', keep: true }),
      request('/return'),
    ),
    'GET with a body too large': get('/', { body: '12345678901' }),
    'beyond the buffer: a temporary file': post('/buffer', 'x'.repeat(5000)),
    'in a single buffer': post('/in-file', 'x'.repeat(5000)),
    'with Expect: 100-continue': on([
      head('POST / HTTP/1.1', 'Host: localhost', 'Connection: close', 'Content-Length: 11', 'Expect: 100-continue'),
      { responses: 1 },
      HANG_UP,
    ]),
  },
});

const long = (length: number) => 'x'.repeat(length);

compare('header buffers', {
  backends: { A: (got) => reply(String(got.headers.length)) },
  http: `
    client_header_buffer_size 256;
    large_client_header_buffers 2 512;
    server { listen 127.0.0.1:%%PORT%%; return 200 "$http_x_long"; }
    server {
      listen 127.0.0.1:%%PORT_2%%;
      client_header_buffer_size 1k;
      large_client_header_buffers 4 8k;
      location / { ${PROXY} }
    }`,
  cases: {
    'a line that fits a large buffer': get(`/?${long(300)}`),
    'request line too long': get(`/?${long(600)}`),
    'request line just long enough': raw(
      `GET /${long(496)} HTTP/1.1\r\n`,
      'Host: localhost\r\nConnection: close\r\n\r\n',
    ),
    // Cut behind its CR, which nginx writes into its log.
    'request line just too long': {
      act: raw(`GET /${long(497)} HTTP/1.1\r\n`, 'Host: localhost\r\nConnection: close\r\n\r\n'),
      differs: { because: 'bytes from variables', evenkeel: { 'error log': / HTTP\/1\.1\\x0d"$/ } },
    },
    'header line that fits a large buffer': get('/', { headers: [`X-Long: ${long(300)}`] }),
    'header line too long': get('/', { headers: [`X-Long: ${long(600)}`] }),
    'two large header lines': get('/', { headers: [`X-Long: ${long(400)}`, `X-Other: ${long(400)}`] }),
    'three large header lines are too many': get('/', { headers: [1, 2, 3].map((i) => `X-${i}: ${long(400)}`) }),
    'long request line and long header': get(`/?${long(400)}`, { headers: [`X-Long: ${long(400)}`] }),
    'long request line and two long headers': get(`/?${long(400)}`, {
      headers: [`X-Long: ${long(400)}`, `X-B: ${long(400)}`],
    }),
    'many short headers': get('/', { headers: Array.from({ length: 30 }, (_, i) => `X-${i}: ${long(20)}`) }),
    'endless request line': raw(`GET /${long(3000)}`),
    'endless header name': raw(`GET / HTTP/1.1\r\nHost: localhost\r\n${long(3000)}`),
    'default sizes: 8k request line': get(`/${long(8000)}`, { port: 'PORT_2' }),
    'default sizes: 9k request line': get(`/${long(9000)}`, { port: 'PORT_2' }),
    'default sizes: 7k header': get('/', { port: 'PORT_2', headers: [`X-Long: ${long(7000)}`] }),
    'default sizes: 9k header': get('/', { port: 'PORT_2', headers: [`X-Long: ${long(9000)}`] }),
    'default sizes: 500 headers of 10 bytes': get('/', {
      port: 'PORT_2',
      headers: Array.from({ length: 500 }, (_, i) => `X-${i}: 1`),
    }),
    'default sizes: 200 headers of 200 bytes': get('/', {
      port: 'PORT_2',
      headers: Array.from({ length: 200 }, (_, i) => `X-${i}: ${long(200)}`),
    }),
  },
});

compare('ignore_invalid_headers and underscores_in_headers', {
  backends: { A: (got) => reply(got.startLine) },
  http: `
    server { listen 127.0.0.1:%%PORT%%; location / { ${PROXY} } }
    server { listen 127.0.0.1:%%PORT_2%%; ignore_invalid_headers off; location / { ${PROXY} } }
    server { listen 127.0.0.1:%%PORT_3%%; underscores_in_headers on; location / { ${PROXY} } }
    server { listen 127.0.0.1:%%PORT_4%%; underscores_in_headers on; return 200 "$http_x_a $http_x_b"; }`,
  cases: {
    default: get('/', { headers: ['X_A: 1', 'X-B: 2', 'X.C: 3', 'X@D: 4'] }),
    'ignore_invalid_headers off': get('/', { port: 'PORT_2', headers: ['X_A: 1', 'X-B: 2', 'X.C: 3', 'X@D: 4'] }),
    'underscores_in_headers on': get('/', { port: 'PORT_3', headers: ['X_A: 1', 'X-B: 2', 'X.C: 3', 'X@D: 4'] }),
    'a variable of a header with an underscore': get('/', { port: 'PORT_4', headers: ['X_A: 1', 'X-B: 2'] }),
    'a known header with an underscore is unknown': get('/', {
      port: 'PORT_3',
      method: 'POST',
      headers: ['Content_Length: 5'],
    }),
    'invalid in a refused form stays refused': get('/', { port: 'PORT_2', headers: ['X A: 1'] }),
  },
});

compare('100-continue', {
  backends: { A: echo },
  http: `
    server {
      listen 127.0.0.1:%%PORT%%;
      location / { ${PROXY} }
      location /unbuffered { proxy_request_buffering off; ${PROXY} }
      location /return { return 200 "no need"; }
      location /small { client_max_body_size 3; ${PROXY} }
      location /denied { deny all; ${PROXY} }
    }`,
  cases: {
    'is asked for before the body': on([
      head('POST / HTTP/1.1', 'Host: localhost', 'Connection: close', 'Content-Length: 4', 'Expect: 100-continue'),
      { received: '100 Continue' },
      'body',
    ]),
    'without case': on([
      head('POST / HTTP/1.1', 'Host: localhost', 'Connection: close', 'Content-Length: 4', 'Expect: 100-Continue'),
      { received: '100 Continue' },
      'body',
    ]),
    chunked: on([
      head(
        'POST / HTTP/1.1',
        'Host: localhost',
        'Connection: close',
        'Transfer-Encoding: chunked',
        'Expect: 100-continue',
      ),
      { received: '100 Continue' },
      chunks('body'),
    ]),
    unbuffered: on([
      head(
        'POST /unbuffered HTTP/1.1',
        'Host: localhost',
        'Connection: close',
        'Content-Length: 4',
        'Expect: 100-continue',
      ),
      { received: '100 Continue' },
      'body',
    ]),
    'the body is there already': raw(
      head('POST / HTTP/1.1', 'Host: localhost', 'Connection: close', 'Content-Length: 4', 'Expect: 100-continue'),
      'body',
    ),
    'even where nothing is read': on([
      head(
        'POST /return HTTP/1.1',
        'Host: localhost',
        'Connection: close',
        'Content-Length: 4',
        'Expect: 100-continue',
      ),
      { responses: 1 },
      'body',
    ]),
    'not when it is too large': on([
      head('POST /small HTTP/1.1', 'Host: localhost', 'Connection: close', 'Content-Length: 4', 'Expect: 100-continue'),
      { responses: 1 },
      HANG_UP,
    ]),
    'not when it is denied': on([
      head(
        'POST /denied HTTP/1.1',
        'Host: localhost',
        'Connection: close',
        'Content-Length: 4',
        'Expect: 100-continue',
      ),
      { responses: 1 },
      HANG_UP,
    ]),
    'not in HTTP/1.0': on([
      head('POST / HTTP/1.0', 'Host: localhost', 'Content-Length: 4', 'Expect: 100-continue'),
      60,
      'body',
    ]),
    'even without a body': get('/', { headers: ['Expect: 100-continue'] }),
    'another expectation': get('/', { headers: ['Expect: the-unexpected'] }),
    'the client goes away instead': on([
      head('POST / HTTP/1.1', 'Host: localhost', 'Content-Length: 4', 'Expect: 100-continue'),
      { received: '100 Continue' },
      HALF_CLOSE,
    ]),
  },
});
