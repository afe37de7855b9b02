import { RESET, type Reply, replyAndClose } from '../support/scripted-backend.ts';
import { type Connection, get, on, post, request, times } from './client-script.ts';
import { type Act, type Case, compare, type Group } from './compare.ts';

/** B always answers; A misbehaves as its case says. Round robin starts with A. */
function retried(
  title: string,
  bad: Reply | NonNullable<Group['backends']>[string],
  rules: string,
  cases: Readonly<Record<string, Case>>,
  servers = 'server %%A%% max_fails=0; server %%B%% max_fails=0;',
): void {
  compare(title, {
    backends: { A: bad, B: replyAndClose('from B') },
    errorLevel: 'warn',
    http: `
      upstream u { ${servers} }
      server { listen 127.0.0.1:%%PORT%%; location / { proxy_pass http://u; proxy_read_timeout 400ms; ${rules} } }`,
    cases,
  });
}

const once = (act: Connection = get('/')): Record<string, Case> => ({ GET: act });
const status = (code: string, body = 'from A') => replyAndClose(body, code, { 'X-From': 'A' });

retried('default: reset before the head', [RESET], '', once());
retried('default: closed before the head', [''], '', { GET: get('/') });
retried('default: 500 is passed on', status('500 Oops'), '', once());
retried('default: read timeout', [600, status('200 OK')], '', once());
retried('a response without a status line', 'nonsense\r\n\r\n', '', {
  GET: {
    act: get('/'),
    differs: {
      because: 'strict framing',
      evenkeel: {
        client: /^-- connection 1\nHTTP\/1\.1 502 Bad Gateway\n/,
        'access log': / 502 %%A%% 502$/,
      },
    },
  },
});
retried('invalid_header', 'HTTP/1.1 200 OK\r\nbad\x00header: x\r\n\r\n', 'proxy_next_upstream invalid_header;', once());
retried('invalid_header does not mean error', [RESET], 'proxy_next_upstream invalid_header;', once());
retried(
  'error does not mean invalid_header',
  'HTTP/1.1 200 OK\r\nbad\x00header: x\r\n\r\n',
  'proxy_next_upstream error;',
  once(),
);
retried('error does not mean timeout', [600, status('200 OK')], 'proxy_next_upstream error;', once());
retried('off', [RESET], 'proxy_next_upstream off;', once());

for (const code of ['403', '404', '429', '500', '502', '503', '504']) {
  retried(`http_${code}`, status(`${code} Text`), `proxy_next_upstream http_${code};`, once());
  retried(`${code} without http_${code}`, status(`${code} Text`), 'proxy_next_upstream error timeout;', once());
}

const METHODS = ['POST', 'LOCK', 'PATCH', 'PUT', 'DELETE', 'OPTIONS', 'HEAD'];
const eachMethod: Record<string, Case> = Object.fromEntries(
  METHODS.map((method) => [method, { act: times(2, get('/', { method, body: 'b' })), isBrief: true }]),
);

retried('methods: 503', status('503 Busy'), 'proxy_next_upstream error http_503;', eachMethod);
retried('methods: reset after the request was sent', [RESET], 'proxy_next_upstream error;', eachMethod);
retried(
  'methods: connection refused',
  '',
  'proxy_next_upstream error;',
  eachMethod,
  'server 127.0.0.1:%%DEAD%% max_fails=0; server %%B%% max_fails=0;',
);
retried(
  'methods: non_idempotent',
  status('503 Busy'),
  'proxy_next_upstream error http_503 non_idempotent;',
  eachMethod,
);

compare('the last answer is passed on', {
  backends: { A: status('503 First', 'first'), B: status('503 Second', 'second'), C: status('500 Third', 'third') },
  errorLevel: 'warn',
  http: `
    upstream two { server %%A%% max_fails=0; server %%B%% max_fails=0; }
    upstream three { server %%A%% max_fails=0; server %%B%% max_fails=0; server %%C%% max_fails=0; }
    upstream one { server %%A%%; }
    upstream failing { server %%A%%; server %%B%%; }
    upstream refused { server 127.0.0.1:%%DEAD%% max_fails=0; server %%A%% max_fails=0; }
    server {
      listen 127.0.0.1:%%PORT%%;
      proxy_next_upstream error http_500 http_503;
      location /two { proxy_pass http://two; }
      location /three { proxy_pass http://three; }
      location /one { proxy_pass http://one; }
      location /failing { proxy_pass http://failing; }
      location /refused { proxy_pass http://refused; }
      location /tries-1 { proxy_next_upstream_tries 1; proxy_pass http://three; }
      location /tries-2 { proxy_next_upstream_tries 2; proxy_pass http://three; }
      location /address { proxy_pass http://%%A%%; }
    }`,
  cases: {
    'of two': times(2, get('/two')),
    'of three': get('/three'),
    'of one': get('/one'),
    'and counts as failures': times(4, get('/failing')),
    'after a refusal': times(2, get('/refused')),
    'tries 1': get('/tries-1'),
    'tries 2': get('/tries-2'),
    'of an address': get('/address'),
    HEAD: get('/two', { method: 'HEAD' }),
  },
});

compare('proxy_next_upstream_timeout', {
  backends: { A: [300, status('503 A')], B: [300, status('503 B')], C: status('200 OK', 'C') },
  errorLevel: 'warn',
  http: `
    upstream u { server %%A%% max_fails=0; server %%B%% max_fails=0; server %%C%% max_fails=0; }
    server {
      listen 127.0.0.1:%%PORT%%;
      proxy_next_upstream http_503;
      location / { proxy_pass http://u; }
      location /short { proxy_next_upstream_timeout 450ms; proxy_pass http://u; }
    }`,
  cases: { none: get('/'), 'runs out': get('/short') },
});

/** The bytes that came before the break. */
function early(act: Act): Case {
  return { act, differs: { because: 'early bytes', evenkeel: { client: /\npart\n\[incomplete\]\n\[closed\]/ } } };
}

compare('when a retry is not possible any more', {
  backends: {
    A: ['HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart', 40, RESET],
    B: replyAndClose('from B'),
    C: ['HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart', 700, 'rest'],
    D: ['HTTP/1.1 200 OK\r\nContent-Le', 20, RESET],
    E: ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n', 40, RESET],
  },
  http: `
    upstream reset { server %%A%%; server %%B%%; }
    upstream slow { server %%C%% max_fails=0; server %%B%%; }
    upstream head { server %%D%% max_fails=0; server %%B%%; }
    upstream chunked { server %%E%% max_fails=0; server %%B%%; }
    server {
      listen 127.0.0.1:%%PORT%%;
      location /reset { proxy_pass http://reset; }
      location /slow { proxy_pass http://slow; proxy_read_timeout 400ms; }
      location /head { proxy_pass http://head; }
      location /chunked { proxy_pass http://chunked; }
      location /alone { proxy_pass http://%%E%%; }
    }`,
  cases: {
    'reset in the body': early(get('/reset')),
    'timeout in the body': early(get('/slow')),
    'reset in the head still can': get('/head'),
    'reset in a chunked body': get('/chunked'),
    'the client\u2019s connection does not stay': on([request('/alone', { keep: true }), { received: 'part' }]),
    'after the reset the peer is out': early(times(2, get('/reset'))),
  },
});

compare('marks of failures', {
  backends: { A: status('503 Busy'), B: replyAndClose('B'), C: [RESET] },
  errorLevel: 'warn',
  http: `
    upstream counted { server %%A%% max_fails=2; server %%B%%; }
    upstream uncounted { server %%A%% max_fails=1; server %%B%%; }
    upstream reset { server %%C%%; server %%B%%; }
    server {
      listen 127.0.0.1:%%PORT%%;
      location /counted { proxy_pass http://counted; proxy_next_upstream http_503; }
      location /uncounted { proxy_pass http://uncounted; }
      location /404 { proxy_pass http://uncounted; proxy_next_upstream http_404; }
      location /post { proxy_pass http://reset; }
    }`,
  cases: {
    'a listed status counts': { act: times(7, get('/counted')), isBrief: true },
    'a status that is not listed does not': { act: times(5, get('/uncounted')), isBrief: true },
    'a POST that may not be repeated counts as well': { act: times(5, post('/post', 'x')), isBrief: true },
  },
});
