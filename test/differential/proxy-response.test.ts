import { CLOSE, ECHO, KEEP, reply, replyAndClose, type Script } from '../support/scripted-backend.ts';
import { type Connection, get, HALF_CLOSE, HANG_UP, head, inSuccession, on, raw, request } from './client-script.ts';
import { type Case, compare } from './compare.ts';

/** Cases by their path: what the upstream says on it. */
function responses(table: Readonly<Record<string, Script>>): { script: Script; cases: Record<string, Connection> } {
  const paths = Object.keys(table).map((title, i) => [title, `/${i}`] as const);
  return {
    script: (got, nth) => {
      const title = paths.find(([, path]) => got.target === path)?.[0] ?? '';
      const script = table[title] ?? replyAndClose('?');
      return typeof script === 'function' ? script(got, nth) : script;
    },
    cases: Object.fromEntries(paths.map(([title, path]) => [title, get(path)])),
  };
}

const ok = (...lines: string[]) => `HTTP/1.1 200 OK\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;

const WELL_FORMED = {
  length: `${ok('Content-Length: 3')}abc`,
  'length 0': ok('Content-Length: 0'),
  'until close': [ok('X: y'), 'abc', 10, 'def'],
  'until close and empty': [ok('X: y')],
  chunked: `${ok('Transfer-Encoding: chunked')}3\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n`,
  'chunked in pieces': [ok('Transfer-Encoding: chunked'), '3', 5, '\r\nab', 5, 'c\r', 5, '\n0\r\n', 5, '\r\n'],
  'chunked with extensions': `${ok('Transfer-Encoding: chunked')}3;a=b\r\nabc\r\n0;c=d\r\n\r\n`,
  'chunked with trailers': `${ok('Transfer-Encoding: chunked', 'Trailer: X-T')}3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n`,
  'chunked, empty': `${ok('Transfer-Encoding: chunked')}0\r\n\r\n`,
  'chunked, upper-case digits': `${ok('Transfer-Encoding: chunked')}A\r\n0123456789\r\n0\r\n\r\n`,
  'chunked, without case': `${ok('Transfer-Encoding: Chunked')}3\r\nabc\r\n0\r\n\r\n`,
  'HTTP/1.0': 'HTTP/1.0 200 OK\r\n\r\nabc',
  'HTTP/1.0 with a length': 'HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc',
  'HTTP/1.0 with keep-alive': 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc',
  'no reason': 'HTTP/1.1 200\r\nContent-Length: 3\r\n\r\nabc',
  'no reason but a blank': 'HTTP/1.1 200 \r\nContent-Length: 3\r\n\r\nabc',
  'own reason': 'HTTP/1.1 200 All is well (really)\r\nContent-Length: 3\r\n\r\nabc',
  'unknown status': 'HTTP/1.1 299 Odd\r\nContent-Length: 3\r\n\r\nabc',
  'status 600': 'HTTP/1.1 600 High\r\nContent-Length: 3\r\n\r\nabc',
  '204': 'HTTP/1.1 204 No Content\r\n\r\n',
  '204 with a length': 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n',
  '304': 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n',
  '304 with a length': 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
  '206': 'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-2/10\r\nContent-Length: 3\r\n\r\nabc',
  '404 passes with its body': replyAndClose('mine', '404 Not Found', { 'Content-Type': 'text/own' }),
  '500 passes with its body': replyAndClose('mine', '500 Internal'),
  'bare LF in the head': 'HTTP/1.1 200 OK\nContent-Length: 3\nX-A: b\n\nabc',
  'the head in pieces': ['HTTP/1.1 2', 5, '00 OK\r', 5, '\nContent-', 5, 'Length: 3\r\n\r', 5, '\nabc'],
  'Server and Date are replaced': ok('Server: theirs', 'Date: Thu, 01 Jan 1970 00:00:00 GMT', 'Content-Length: 0'),
  'headers that do not pass': ok(
    'Connection: close',
    'Keep-Alive: x',
    'X-Pad: y',
    'X-Accel-Charset: utf-8',
    'X-Accel-Expires: 3',
    'Upgrade: x',
    'Proxy-Authenticate: z',
    'Content-Length: 0',
  ),
  'repeated headers': ok(
    'Set-Cookie: a=1',
    'Set-Cookie: b=2',
    'X-A: 1',
    'X-A: 2',
    'Cache-Control: a',
    'Cache-Control: b',
    'Vary: a',
    'Vary: b',
    'Link: a',
    'Link: b',
    'Content-Length: 0',
  ),
  'order and case of names': ok('x-lower: 1', 'X-UPPER: 2', 'CONTENT-TYPE: text/x', 'content-length: 0'),
  'content type with a charset': ok('Content-Type: text/html; charset=utf-8', 'Content-Length: 0'),
  'empty values': ok('X-Empty:', 'X-Blank:   ', 'Content-Length: 0'),
  'odd header names': ok('X_U: 1', 'X.D: 2', 'X@A: 3', 'Content-Length: 0'),
  'large header': ok(`X-Large: ${'x'.repeat(3000)}`, 'Content-Length: 0'),
  'header too large': ok(`X-Large: ${'x'.repeat(9000)}`, 'Content-Length: 0'),
  'many headers too large': ok(
    ...Array.from({ length: 200 }, (_, i) => `X-${i}: ${'x'.repeat(30)}`),
    'Content-Length: 0',
  ),
  'large body': reply('z'.repeat(500_000)),
  'large chunked body': `${ok('Transfer-Encoding: chunked')}10000\r\n${'c'.repeat(65536)}\r\n8000\r\n${'d'.repeat(32768)}\r\n0\r\n\r\n`,
  'more bytes than said': `${ok('Content-Length: 3')}abcdef`,
  'more bytes than said, later': [ok('Content-Length: 3'), 'abc', 20, 'def'],
  'ETag and Last-Modified': ok(
    'ETag: "x"',
    'Last-Modified: Mon, 28 Sep 1970 06:00:00 GMT',
    'Accept-Ranges: bytes',
    'Content-Length: 0',
  ),
  'WWW-Authenticate':
    'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="a"\r\nWWW-Authenticate: Digest x\r\nContent-Length: 0\r\n\r\n',
} satisfies Record<string, Script>;

const wellFormed = responses(WELL_FORMED);

compare('responses of the upstream', {
  backends: { A: wellFormed.script },
  http: `
    proxy_max_temp_file_size 0;
    server { listen 127.0.0.1:%%PORT%%; location / { proxy_pass http://%%A%%; } }`,
  cases: wellFormed.cases,
});

compare('responses of the upstream, proxy_buffering off', {
  backends: { A: wellFormed.script },
  http: `server { listen 127.0.0.1:%%PORT%%; proxy_buffering off; location / { proxy_pass http://%%A%%; } }`,
  cases: Object.fromEntries(
    Object.entries(wellFormed.cases).filter(([title]) => /length|close|chunked|body|204|304|HTTP|more/.test(title)),
  ),
});

/** What nginx 1.22 lets through, in part as HTTP/0.9. */
const STRICTLY_502 = new Set([
  'no status line',
  'status line of another protocol',
  'status with two digits',
  'status with four digits',
  'status with letters',
  'status 000',
  'status 099',
  'no status',
  'version 2.0',
  'version without a minor',
  'chunked in HTTP/1.0',
  'control byte in a value',
  'no colon',
  'two lengths, different',
  'two lengths, the same',
  'length that is no number',
  'negative length',
  'length beyond 63 bits',
  'length as a list',
  'length and chunked',
  'chunked and length',
  'unknown transfer coding',
  'gzip, chunked',
  'two transfer-encodings',
  'garbage',
  'TLS alert',
  'only an empty line',
]);

/** 502 and nothing of the upstream's passes. */
function badGateway(act: Connection): Case {
  return {
    act,
    differs: {
      because: 'strict framing',
      evenkeel: {
        client: /^-- connection 1\nHTTP\/1\.1 502 Bad Gateway\n(.*\n)*\[closed\]$/,
        'access log': / 502 %%A%% 502$/,
        'error log': /^\[error\] upstream .* while reading response header from upstream, /,
      },
    },
  };
}

/** The head has gone out, the body breaks off. */
const BREAKS_OFF = /^-- connection 1\nHTTP\/1\.1 200 OK\n(.*\n)*\[incomplete\]\n\[closed\]$/;
const HEAD_IS_OUT = new Set([
  'chunk size that is no number',
  'chunk longer than said',
  'chunk size negative',
  'chunk size beyond 63 bits',
]);

function strictly(title: string, act: Connection): Case {
  if (STRICTLY_502.has(title)) return badGateway(act);
  if (HEAD_IS_OUT.has(title)) return { act, differs: { because: 'early bytes', evenkeel: { client: BREAKS_OFF } } };
  if (title !== 'bare LF in chunked framing') return act;
  const log = /^\[error\] upstream sent invalid chunked response while reading upstream, /;
  return { act, differs: { because: 'strict framing', evenkeel: { client: BREAKS_OFF, 'error log': log } } };
}

compare('malformed responses of the upstream', {
  ...(() => {
    const { script, cases } = responses({
      'no status line': 'X: y\r\n\r\nabc',
      'status line of another protocol': 'ICY 200 OK\r\n\r\nabc',
      'status with two digits': 'HTTP/1.1 20 OK\r\n\r\nabc',
      'status with four digits': 'HTTP/1.1 2000 OK\r\n\r\nabc',
      'status with letters': 'HTTP/1.1 2x0 OK\r\n\r\nabc',
      'status 000': 'HTTP/1.1 000 Zero\r\nContent-Length: 0\r\n\r\n',
      'status 099': 'HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n',
      'no status': 'HTTP/1.1 \r\n\r\nabc',
      'version 2.0': 'HTTP/2.0 200 OK\r\nContent-Length: 3\r\n\r\nabc',
      'version 1.2': 'HTTP/1.2 200 OK\r\nContent-Length: 3\r\n\r\nabc',
      'version without a minor': 'HTTP/1 200 OK\r\nContent-Length: 3\r\n\r\nabc',
      'NUL in a header name': `${ok('X\0A: b', 'Content-Length: 3')}abc`,
      'NUL in a header value': `${ok('X-A: b\0c', 'Content-Length: 3')}abc`,
      'control byte in a value': `${ok('X-A: b\x01c', 'Content-Length: 3')}abc`,
      'bare CR in a value': `${ok('X-A: b\rc', 'Content-Length: 3')}abc`,
      'obs-fold': `${ok('X-A: b', ' c', 'Content-Length: 3')}abc`,
      'space before the colon': `${ok('X-A : b', 'Content-Length: 3')}abc`,
      'no colon': `${ok('nonsense', 'Content-Length: 3')}abc`,
      'colon only': `${ok(': x', 'Content-Length: 3')}abc`,
      'two lengths, different': `${ok('Content-Length: 3', 'Content-Length: 4')}abcd`,
      'two lengths, the same': `${ok('Content-Length: 3', 'Content-Length: 3')}abc`,
      'length that is no number': `${ok('Content-Length: abc')}abc`,
      'negative length': `${ok('Content-Length: -3')}abc`,
      'length beyond 63 bits': `${ok('Content-Length: 99999999999999999999')}abc`,
      'length as a list': `${ok('Content-Length: 3, 3')}abc`,
      'length and chunked': `${ok('Content-Length: 3', 'Transfer-Encoding: chunked')}3\r\nabc\r\n0\r\n\r\n`,
      'chunked and length': `${ok('Transfer-Encoding: chunked', 'Content-Length: 3')}3\r\nabc\r\n0\r\n\r\n`,
      'unknown transfer coding': `${ok('Transfer-Encoding: gzip')}abc`,
      'gzip, chunked': `${ok('Transfer-Encoding: gzip, chunked')}3\r\nabc\r\n0\r\n\r\n`,
      'two transfer-encodings': `${ok('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked')}3\r\nabc\r\n0\r\n\r\n`,
      'chunked in HTTP/1.0': 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
      'chunk size that is no number': `${ok('Transfer-Encoding: chunked')}zz\r\nabc\r\n0\r\n\r\n`,
      'chunk longer than said': `${ok('Transfer-Encoding: chunked')}2\r\nabc\r\n0\r\n\r\n`,
      'chunk size negative': `${ok('Transfer-Encoding: chunked')}-3\r\nabc\r\n0\r\n\r\n`,
      'chunk size beyond 63 bits': `${ok('Transfer-Encoding: chunked')}fffffffffffffffff\r\nabc\r\n0\r\n\r\n`,
      'chunk without an end': [`${ok('Transfer-Encoding: chunked')}3\r\nabc\r\n`, ''],
      'chunk broken off': [`${ok('Transfer-Encoding: chunked')}5\r\nabc`, ''],
      'bare LF in chunked framing': `${ok('Transfer-Encoding: chunked')}3\nabc\n0\n\n`,
      'bad chunk after a good one': [`${ok('Transfer-Encoding: chunked')}3\r\nabc\r\n`, 30, 'zz\r\nabc\r\n0\r\n\r\n'],
      garbage: '\x00\x01\x02\x03',
      'TLS alert': '\x15\x03\x01\x00\x02\x02\x46',
      'only an empty line': ['\r\n', ''],
      'two Locations': 'HTTP/1.1 302 Found\r\nLocation: /a\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n',
    });
    const closing: Script = (got, nth) => {
      const said = typeof script === 'function' ? script(got, nth) : script;
      return typeof said === 'string' ? [said, CLOSE] : [...said, CLOSE];
    };
    const refused: Record<string, Case> = Object.fromEntries(
      Object.entries(cases).map(([title, act]) => [title, strictly(title, act)]),
    );
    return { backends: { A: closing }, cases: refused };
  })(),
  http: `server { listen 127.0.0.1:%%PORT%%; location / { proxy_pass http://%%A%%; } }`,
});

compare('HEAD, 1xx, upgrades', {
  backends: {
    A: (got) => {
      if (got.target === '/upgrade')
        return ['HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n', 'hello ', ECHO];
      if (got.target === '/no-upgrade') return replyAndClose('no', '426 Upgrade Required', { Upgrade: 'other' });
      if (got.target === '/101-unasked')
        return ['HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n', ECHO];
      if (got.target === '/head-chunked')
        return 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n';
      if (got.target === '/head-with-body') return ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc', KEEP];
      if (got.target === '/head-nothing') return ['HTTP/1.1 200 OK\r\n\r\n', ''];
      if (got.target === '/upgrade-closes')
        return ['HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n', 'bye', 20];
      return 'HTTP/1.1 200 OK\r\nContent-Length: 12345\r\nConnection: close\r\n\r\n';
    },
  },
  http: `
    server {
      listen 127.0.0.1:%%PORT%%;
      location / { proxy_pass http://%%A%%; proxy_read_timeout 400ms; }
      location ~ upgrade { proxy_pass http://%%A%%; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; proxy_read_timeout 800ms; }
    }`,
  cases: {
    HEAD: get('/', { method: 'HEAD' }),
    'HEAD, chunked': get('/head-chunked', { method: 'HEAD' }),
    'HEAD, and the upstream sends a body': get('/head-with-body', { method: 'HEAD' }),
    'HEAD, and nothing is said about the length': get('/head-nothing', { method: 'HEAD' }),
    'upgrade and echo': on([
      head('GET /upgrade HTTP/1.1', 'Host: h', 'Upgrade: echo', 'Connection: Upgrade'),
      { received: 'hello ' },
      'ping',
      { received: 'ping' },
      'pong',
      { received: 'pong' },
      HALF_CLOSE,
    ]),
    'upgrade with early bytes': on([
      head('GET /upgrade HTTP/1.1', 'Host: h', 'Upgrade: echo', 'Connection: Upgrade'),
      'early',
      { received: 'early' },
      HALF_CLOSE,
    ]),
    'upgrade and the upstream ends': on([
      head('GET /upgrade-closes HTTP/1.1', 'Host: h', 'Upgrade: echo', 'Connection: Upgrade'),
    ]),
    'upgrade and the client hangs up': {
      act: on([
        head('GET /upgrade HTTP/1.1', 'Host: h', 'Upgrade: echo', 'Connection: Upgrade'),
        { received: 'hello ' },
        HANG_UP,
      ]),
      settleMs: 60,
    },
    'upgrade and silence': on([head('GET /upgrade HTTP/1.1', 'Host: h', 'Upgrade: echo', 'Connection: Upgrade')]),
    'upgrade refused': on([
      head('GET /no-upgrade HTTP/1.1', 'Host: h', 'Upgrade: echo', 'Connection: Upgrade'),
      { responses: 1 },
      HANG_UP,
    ]),
    'upgrade header without the configuration': on([
      head('GET / HTTP/1.1', 'Host: h', 'Upgrade: echo', 'Connection: Upgrade'),
      { responses: 1 },
      HANG_UP,
    ]),
    '101 that nobody asked for': {
      act: get('/101-unasked'),
      differs: {
        because: 'strict framing',
        evenkeel: {
          client: /^-- connection 1\nHTTP\/1\.1 502 Bad Gateway\n/,
          'access log': / 502 %%A%% 502$/,
          'error log': /101/,
        },
      },
    },
  },
});

compare('response directives', {
  backends: {
    A: replyAndClose('0123456789', '200 OK', {
      'X-A': 'a',
      'X-B': 'b',
      Server: 'theirs',
      Date: 'Thu, 01 Jan 1970 00:00:00 GMT',
      'X-Accel-Buffering': 'no',
      'X-Accel-Limit-Rate': '0',
      'X-Pad': 'p',
    }),
    EXPIRES: replyAndClose('x', '200 OK', {
      'X-Accel-Redirect': '/internal',
      'X-Accel-Expires': '0',
      Expires: 'x',
      'Cache-Control': 'y',
      'Set-Cookie': 'z=1',
      Vary: 'v',
    }),
    TYPED: replyAndClose('x', '200 OK', { 'X-Accel-Redirect': '/internal.html', 'Content-Type': 'text/of-theirs' }),
    UP: replyAndClose('x', '200 OK', { 'X-Accel-Redirect': '/a/..' }),
    DOUBLE: replyAndClose('x', '200 OK', { 'X-Accel-Redirect': '/internal//a/./b%20c' }),
    BARE: ['HTTP/1.0 200 OK\r\n\r\nx'],
    E404: replyAndClose('their 404', '404 Not Found', { 'X-A': 'a' }),
    E503: replyAndClose('their 503', '503 Busy', { 'Retry-After': '5' }),
    E401: replyAndClose('their 401', '401 Unauthorized', { 'WWW-Authenticate': 'Basic realm="x"' }),
    SLOW: [replyAndClose('x'.repeat(2000))],
  },
  http: `
    server {
      listen 127.0.0.1:%%PORT%%;
      location / { proxy_pass http://%%A%%; }
      location /hide { proxy_pass http://%%A%%; proxy_hide_header X-A; proxy_hide_header x-none; }
      location /pass { proxy_pass http://%%A%%; proxy_pass_header Server; proxy_pass_header Date; proxy_pass_header X-Pad; proxy_pass_header X-Accel-Buffering; }
      location /hide-outer/ { proxy_hide_header X-A; location /hide-outer/in { proxy_hide_header X-B; proxy_pass http://%%A%%; } location /hide-outer/same { proxy_pass http://%%A%%; } }
      location /accel { proxy_pass http://%%EXPIRES%%; }
      location /accel-cookie { proxy_pass http://%%EXPIRES%%; proxy_cookie_flags z secure; }
      location /accel-typed { proxy_pass http://%%TYPED%%; }
      location /accel-up { proxy_pass http://%%UP%%; }
      location /accel-double { proxy_pass http://%%DOUBLE%%; }
      location /pass-none { proxy_pass http://%%BARE%%; proxy_pass_header Server; proxy_pass_header Date; }
      location /ignored { proxy_pass http://%%EXPIRES%%; proxy_ignore_headers X-Accel-Redirect X-Accel-Expires; }
      location /internal { return 200 "internally redirected to $uri"; }
      location /intercept-404 { proxy_pass http://%%E404%%; proxy_intercept_errors on; }
      location /intercept-503 { proxy_pass http://%%E503%%; proxy_intercept_errors on; }
      location /intercept-401 { proxy_pass http://%%E401%%; proxy_intercept_errors on; }
      location /intercept-200 { proxy_pass http://%%A%%; proxy_intercept_errors on; }
      location /rate { proxy_pass http://%%SLOW%%; limit_rate 2000; }
      location /rate-variable { proxy_pass http://%%SLOW%%; limit_rate $arg_rate; limit_rate_after $arg_after; }
      location /force-ranges { proxy_pass http://%%A%%; proxy_force_ranges on; }
      location /small-buffers { proxy_pass http://%%SLOW%%; proxy_buffer_size 1k; proxy_buffers 2 1k; proxy_busy_buffers_size 1k; }
    }`,
  cases: {
    'X-Accel headers are not passed': get('/'),
    proxy_hide_header: get('/hide'),
    proxy_pass_header: get('/pass'),
    'proxy_hide_header of the inner level replaces': get('/hide-outer/in'),
    'proxy_hide_header inherited': get('/hide-outer/same'),
    'X-Accel-Redirect': get('/accel'),
    'X-Accel-Redirect and a cookie that is edited': get('/accel-cookie'),
    'X-Accel-Redirect and a type': get('/accel-typed'),
    'X-Accel-Redirect that leads up': get('/accel-up'),
    'X-Accel-Redirect is not normalised': get('/accel-double'),
    'proxy_pass_header of what is not there': get('/pass-none'),
    proxy_ignore_headers: get('/ignored'),
    'proxy_intercept_errors without an error page, 404': get('/intercept-404'),
    'proxy_intercept_errors without an error page, 503': get('/intercept-503'),
    'proxy_intercept_errors without an error page, 401': get('/intercept-401'),
    'proxy_intercept_errors and 200': get('/intercept-200'),
    limit_rate: get('/rate'),
    'limit_rate with variables': get('/rate-variable?rate=2000&after=1k'),
    proxy_force_ranges: get('/force-ranges', { headers: ['Range: bytes=2-4'] }),
    'proxy_force_ranges, the end': get('/force-ranges', { headers: ['Range: bytes=-3'] }),
    'proxy_force_ranges, out of range': get('/force-ranges', { headers: ['Range: bytes=20-'] }),
    'ranges of a proxied response are not made': get('/', { headers: ['Range: bytes=2-4'] }),
    'small buffers': get('/small-buffers'),
    'the connection stays after a proxied response': inSuccession(
      request('/', { keep: true }),
      request('/hide', { keep: true }),
    ),
    'HTTP/1.0': raw(head('GET / HTTP/1.0')),
  },
});
