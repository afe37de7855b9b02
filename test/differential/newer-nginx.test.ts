import { replyAndClose } from '../support/scripted-backend.ts';
import { get, head, raw } from './client-script.ts';
import { type Case, compare } from './compare.ts';

/** What nginx has changed since the version that Debian ships; evenkeel follows the newer one. */
function newer(
  act: Case & object,
  evenkeel: NonNullable<Extract<Case, { act: unknown }>['differs']>['evenkeel'],
): Case {
  return { ...('act' in act ? act : { act }), differs: { because: 'newer than the oracle', evenkeel } };
}

compare('since 1.23: headers of the same name are one', {
  backends: {
    A: replyAndClose('x', '200 OK', { 'X-Once': '1', 'X-Twice': 'a\r\nX-Twice: b' }),
  },
  http: `
    log_format both '$upstream_http_x_twice|$sent_http_x_twice|$upstream_http_x_once';
    access_log access.log both;
    server {
      listen 127.0.0.1:%%PORT%%;
      location /request { return 200 "$http_x_a|$http_x_b"; }
      location / { proxy_pass http://%%A%%; }
    }`,
  cases: {
    'of the request': newer(get('/request', { headers: ['X-A: 1', 'X-A: 2', 'X-B: 3'] }), { client: /\n1, 2\|3\n/ }),
    'of the response': newer(get('/'), { 'access log': /^access\.log: a, b\|a, b\|1$/ }),
  },
});

const plain = (requestLine: string, host = 'localhost') => raw(head(requestLine, `Host: ${host}`, 'Connection: close'));
const answered = (status: number) => ({
  client: new RegExp(`^-- connection 1\\nHTTP/1\\.1 ${status} `),
  'access log': new RegExp(` ${status} `),
  'error log': /^\[info\] client sent /,
});

compare('since 1.29.3: CONNECT names a host and a port', {
  http: 'server { listen 127.0.0.1:%%PORT%%; return 204; }',
  cases: {
    'host and port: not allowed': newer(plain('CONNECT localhost:80 HTTP/1.1'), answered(405)),
    'address and port: not allowed': newer(plain('CONNECT 127.0.0.1:80 HTTP/1.1'), answered(405)),
    'without a port': plain('CONNECT localhost HTTP/1.1'),
    'a path': newer(plain('CONNECT / HTTP/1.1'), answered(400)),
  },
});

compare('since 1.29.4: host and port as in RFC 3986', {
  http: 'server { listen 127.0.0.1:%%PORT%%; location / { return 200 "$host"; } }',
  cases: Object.fromEntries(
    ['a.:1.2', 'a:65536', 'a:80:80', 'a:8x', '[::1', '[::1].', '[::1].:98', 'a[::1]:98', 'user@a', 'a\\b', 'a"b'].map(
      (host) => [host, newer(plain('GET / HTTP/1.1', host), answered(400))],
    ),
  ),
});

compare('since 1.29.6: a comma separates no cookies', {
  http: `server { listen 127.0.0.1:%%PORT%%; location / { return 200 "$cookie_a|$cookie_b|$cookie_c"; } }`,
  cases: {
    'in one field': newer(get('/', { headers: ['Cookie: a=1, b=2; c=3'] }), { client: /\n1, b=2\|\|3\n/ }),
  },
});

compare('since 1.29: interim responses of the upstream', {
  backends: {
    A: (got) => {
      if (got.target === '/103')
        return ['HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n', 30, replyAndClose('final')];
      return ['HTTP/1.1 100 Continue\r\n\r\n', 30, replyAndClose('final')];
    },
  },
  http: `server { listen 127.0.0.1:%%PORT%%; location / { proxy_pass http://%%A%%; proxy_read_timeout 500ms; } }`,
  cases: {
    '103 is not passed on where nothing asks for it': newer(get('/103'), {
      client: /^-- connection 1\nHTTP\/1\.1 200 OK\n(.*\n)*final\n\[closed\]$/,
      'access log': / 200 %%A%% 200$/,
      'error log': /^$/,
    }),
    '100 is swallowed': newer(get('/100'), {
      client: /^-- connection 1\nHTTP\/1\.1 200 OK\n(.*\n)*final\n\[closed\]$/,
      'access log': / 200 %%A%% 200$/,
      'error log': /^$/,
    }),
  },
});
