import { HANG, RESET, replyAndClose } from '../support/scripted-backend.ts';
import { get, HANG_UP, head, on, post, RESET_CONNECTION, request } from './client-script.ts';
import { compare } from './compare.ts';

compare('upstream failures as the client and the log see them', {
  backends: {
    CLOSES: [''],
    RESETS: [RESET],
    SILENT: [HANG],
    ACCEPTS: { script: '', resetOnAccept: true },
    STALLS: ['HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345', HANG],
    HALF: ['HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345', ''],
    HALFHEAD: ['HTTP/1.1 200 OK\r\nContent-Le', ''],
    EARLY: { script: replyAndClose('early', '403 Early'), onHead: true },
  },
  http: `
    proxy_read_timeout 400ms;
    upstream named { server 127.0.0.1:%%DEAD%%; }
    server {
      listen 127.0.0.1:%%PORT%%;
      server_name proxy.example;
      location /refused { proxy_pass http://127.0.0.1:%%DEAD%%; }
      location /refused/uri/ { proxy_pass http://127.0.0.1:%%DEAD%%/other/; }
      location /named { proxy_pass http://named; }
      location /closes { proxy_pass http://%%CLOSES%%; }
      location /resets { proxy_pass http://%%RESETS%%; }
      location /accepts { proxy_pass http://%%ACCEPTS%%; }
      location /silent { proxy_pass http://%%SILENT%%; }
      location /stalls { proxy_pass http://%%STALLS%%; }
      location /stalls/unbuffered { proxy_buffering off; proxy_pass http://%%STALLS%%; }
      location /half { proxy_pass http://%%HALF%%; }
      location /half/unbuffered { proxy_buffering off; proxy_pass http://%%HALF%%; }
      location /halfhead { proxy_pass http://%%HALFHEAD%%; }
      location /early { proxy_pass http://%%EARLY%%; }
      location /no-socket { proxy_pass http://unix:%%DIR%%/none.sock; }
      location /no-socket/uri/ { proxy_pass http://unix:%%DIR%%/none.sock:/x/; }
    }`,
  cases: {
    refused: get('/refused?a=b', { host: 'proxy.example:81' }),
    'refused, with a URI in proxy_pass': get('/refused/uri/path?a=b'),
    'refused, a named upstream': get('/named'),
    'refused, POST': post('/refused', 'body'),
    'refused, with a referrer': get('/refused', { headers: ['Referer: http://ref.example/page'] }),
    'refused, no host': get('/refused', { host: null, version: '1.0' }),
    'closes at once': get('/closes'),
    'resets at once': get('/resets'),
    'resets after accept': {
      act: get('/accepts'),
      without: { 'error log': 'whether the reset comes before or after the request was written is a race' },
    },
    'is silent': get('/silent'),
    'stalls in the body': {
      act: get('/stalls'),
      differs: { because: 'early bytes', evenkeel: { client: /\n12345\n\[incomplete\]\n\[closed\]$/ } },
    },
    'stalls in the body, unbuffered': get('/stalls/unbuffered'),
    'closes in the body': get('/half'),
    'closes in the body, unbuffered': {
      act: get('/half/unbuffered'),
      // By whether the FIN had come when nginx passed the head on.
      normalize: [{ from: /while (reading upstream|sending to client),/g, to: 'while passing the body,' }],
    },
    'closes in the head': get('/halfhead'),
    'no unix socket': get('/no-socket'),
    'no unix socket, with a URI': get('/no-socket/uri/a'),
    'the client\u2019s connection stays after a 502': on([
      request('/refused', { keep: true }),
      { responses: 1 },
      request('/refused'),
    ]),
    'the client\u2019s connection stays after a 504': on([
      request('/silent', { keep: true }),
      { responses: 1 },
      request('/refused'),
    ]),
  },
});

compare('the client goes away', {
  backends: {
    SILENT: [HANG],
    SLOW: [200, replyAndClose('late')],
    STREAM: ['HTTP/1.1 200 OK\r\n\r\nfirst', 150, 'second', 150, 'third', 150, 'last'],
  },
  http: `
    server {
      listen 127.0.0.1:%%PORT%%;
      location /silent { proxy_pass http://%%SILENT%%; }
      location /ignoring { proxy_ignore_client_abort on; proxy_pass http://%%SLOW%%; }
      location /stream { proxy_buffering off; proxy_pass http://%%STREAM%%; }
    }`,
  cases: {
    'while the upstream is silent': { act: on([request('/silent'), 100, HANG_UP]), settleMs: 100 },
    'while the upstream is silent, by reset': { act: on([request('/silent'), 100, RESET_CONNECTION]), settleMs: 100 },
    'while the upstream is silent, POST': {
      act: on([request('/silent', { method: 'POST', body: 'abc' }), 100, HANG_UP]),
      settleMs: 100,
    },
    'and proxy_ignore_client_abort': { act: on([request('/ignoring'), 50, HANG_UP]), settleMs: 300 },
    'in the middle of its own body': {
      act: on([head('POST /silent HTTP/1.1', 'Host: localhost', 'Content-Length: 10'), 'abc', 50, HANG_UP]),
      settleMs: 100,
    },
    'in the middle of its own head': { act: on(['GET /silent HTTP/1.1\r\nHost: local', 50, HANG_UP]), settleMs: 50 },
    'in the middle of a streamed response': {
      act: on([request('/stream'), { received: 'first' }, HANG_UP]),
      settleMs: 600,
      without: {
        'error log': 'nginx sees the close while it reads from the upstream or when it writes, which is a race',
      },
    },
  },
});
