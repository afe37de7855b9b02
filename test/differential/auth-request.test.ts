import { CLOSE, HANG, KEEP, RESET, reply } from '../support/scripted-backend.ts';
import { get, HANG_UP, inSuccession, on, pipelined, request } from './client-script.ts';
import { compare } from './compare.ts';

/** nginx's log says of a request what its connection did last, for the subrequest that is. */
const LAST_DEED = { from: / while sending to client/g, to: '' };
const LONG = 'x'.repeat(200_000);

/** What the auth server answers, by the path that it is asked for. */
const ANSWERS: Readonly<Record<string, Parameters<typeof auth>[0]>> = {
  '/ok': reply('allowed', '200 OK', { 'X-User': 'alice', 'X-Empty': '' }),
  '/no-content': 'HTTP/1.1 204 No Content\r\nX-User: bob\r\n\r\n',
  '/created': reply('', '201 Created'),
  '/odd': reply('', '299 Odd'),
  '/unauthorized': reply('who?', '401 Unauthorized', { 'WWW-Authenticate': 'Basic realm="auth"', 'X-User': 'nobody' }),
  '/unauthorized-plain': reply('who?', '401 Unauthorized'),
  '/forbidden': reply('no', '403 Forbidden', { 'WWW-Authenticate': 'Basic realm="no"' }),
  '/redirect': reply('', '302 Found', { Location: '/login' }),
  '/missing': reply('', '404 Not Found'),
  '/error': reply('', '500 Internal Server Error'),
  '/busy': reply('', '503 Service Unavailable'),
  '/long': reply(LONG, '200 OK', { 'X-User': 'long' }),
  '/chunked': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  '/until-close': ['HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nallowed', CLOSE],
  '/broken-head': ['HTTP/1.1 200 O', CLOSE],
  '/no-head': [CLOSE],
  '/reset': [RESET],
  '/broken-body': ['HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nallowed', CLOSE],
  '/malformed': 'HTTP/1.1 200 OK\r\nno colon\r\n\r\n',
  '/silent': [HANG],
  '/slow': [300, reply('allowed'), KEEP],
  '/silent-body': ['HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nallowed', HANG],
};

function auth(answer: string | readonly (string | number | symbol)[]): never {
  return answer as never;
}

const page = (name: string) => `location /${name}/ { auth_request /auth/${name}; proxy_pass http://%%A%%; }`;

compare('auth_request', {
  backends: {
    A: (seen) => reply(`${seen.method} ${seen.target} ${seen.body.length}`),
    AUTH: (seen) => auth(ANSWERS[seen.target] ?? reply('', '404 Not Found')),
  },
  http: `
    log_format sub '$request_method "$request" $uri $args $status $upstream_addr $upstream_status $body_bytes_sent user=$auth_user';
    access_log access.log sub;
    server {
      listen 127.0.0.1:%%PORT%%;
      auth_request_set $auth_user $upstream_http_x_user;
      client_max_body_size 300k;
      proxy_read_timeout 400ms;
      proxy_buffers 8 4k;
      location /auth/ { internal; proxy_pass http://%%AUTH%%/; proxy_pass_request_body off; proxy_set_header Connection ""; proxy_set_header Content-Length ""; proxy_set_header X-Original-URI $request_uri; proxy_set_header X-Original-Method $request_method; }
      ${Object.keys(ANSWERS)
        .map((path) => page(path.slice(1)))
        .join('\n')}
      location /dead/ { auth_request /auth-dead; proxy_pass http://%%A%%; }
      location = /auth-dead { proxy_pass http://127.0.0.1:%%DEAD%%; }
      location /unlimited/ { auth_request /auth-limited; proxy_pass http://%%A%%; }
      location = /auth-limited { client_max_body_size 10; proxy_pass http://%%AUTH%%/ok; proxy_pass_request_body off; }
      location /unbuffered/ { auth_request /auth-unbuffered; proxy_pass http://%%A%%; }
      location = /auth-unbuffered { proxy_buffering off; proxy_pass http://%%AUTH%%/long; }
      location /unbuffered-ok/ { auth_request /auth-unbuffered-ok; proxy_pass http://%%A%%; }
      location = /auth-unbuffered-ok { proxy_buffering off; proxy_pass http://%%AUTH%%/ok; }
      location /return/ { auth_request /auth-return; proxy_pass http://%%A%%; }
      location = /auth-return { return 200 "by return"; }
      location /return-401/ { auth_request /auth-return-401; proxy_pass http://%%A%%; }
      location = /auth-return-401 { add_header WWW-Authenticate 'Basic realm="added"' always; return 401; }
      location /return-444/ { auth_request /auth-return-444; proxy_pass http://%%A%%; }
      location = /auth-return-444 { return 444; }
      location /return-408/ { auth_request /auth-return-408; proxy_pass http://%%A%%; }
      location = /auth-return-408 { return 408; }
      location /return-499/ { auth_request /auth-return-499; proxy_pass http://%%A%%; }
      location = /auth-return-499 { return 499; }
      location /return-302/ { auth_request /auth-return-302; proxy_pass http://%%A%%; }
      location = /auth-return-302 { return 302 /login; }
      location /page/ { auth_request /auth-page; proxy_pass http://%%A%%; }
      location = /auth-page { error_page 404 =200 /auth/ok; proxy_intercept_errors on; proxy_pass http://%%AUTH%%/missing; }
      location /denied-page/ { error_page 401 = @login; auth_request /auth/unauthorized; proxy_pass http://%%A%%; }
      location @login { auth_request off; return 200 "log in, $auth_user"; }
      location /error-page/ { error_page 500 /oops; auth_request /auth/busy; proxy_pass http://%%A%%; }
      location = /oops { internal; return 200 oops; }
      location /nowhere/ { auth_request /nowhere-at-all; proxy_pass http://%%A%%; }
      location /query/ { auth_request /auth/ok?a=1; proxy_pass http://%%A%%; }
      location /rewritten/ { auth_request /auth-rewritten; proxy_pass http://%%A%%; }
      location = /auth-rewritten { rewrite ^ /auth/ok?added=1 last; }
      location /prefix/ { auth_request /auth-prefix; proxy_pass http://%%A%%; }
      location /auth-prefix/ { proxy_pass http://%%AUTH%%/; }
      location /cycle/ { auth_request /cycle/auth; proxy_pass http://%%AUTH%%/ok; }
      location /redirected/ { auth_request /auth/ok; rewrite ^ /ok/behind last; proxy_pass http://%%A%%; }
      location /files/ { auth_request /auth/ok; try_files /nothing /ok/behind; }
      location /return-first/ { auth_request /auth/forbidden; return 200 "returned before"; }
      location /logged/ { auth_request /auth-logged; proxy_pass http://%%A%%; }
      location = /auth-logged { log_subrequest on; proxy_pass http://%%AUTH%%/ok; }
      location /logged-return/ { auth_request /auth-logged-return; proxy_pass http://%%A%%; }
      location = /auth-logged-return { log_subrequest on; return 200; }
      location /logged-denied/ { auth_request /auth-logged-denied; proxy_pass http://%%A%%; }
      location = /auth-logged-denied { log_subrequest on; proxy_pass http://%%AUTH%%/forbidden; }
      location /logged-dead/ { auth_request /auth-logged-dead; proxy_pass http://%%A%%; }
      location = /auth-logged-dead { log_subrequest on; proxy_pass http://127.0.0.1:%%DEAD%%; }
      location /deny/ { deny all; auth_request /auth/ok; proxy_pass http://%%A%%; }
      location /deny-in-auth/ { auth_request /auth-closed; proxy_pass http://%%A%%; }
      location = /auth-closed { deny all; proxy_pass http://%%AUTH%%/ok; }
      location /ignoring/ { auth_request /auth-ignoring; proxy_pass http://%%A%%; }
      location = /auth-ignoring { proxy_ignore_client_abort on; proxy_pass http://%%AUTH%%/slow; }
      location /file/ { auth_request /auth/ok; root %%DIR%%; }
      location /host/ { auth_request /auth-host; proxy_pass http://%%A%%; }
      location = /auth-host { proxy_set_header Connection ""; proxy_set_header Host $host; proxy_set_header X-Seen "$uri $args $request_uri $request_method $http_x_own $request_length $content_length"; proxy_set_header Content-Length ""; proxy_pass_request_body off; proxy_pass http://%%AUTH%%/ok; }
    }`,
  files: { 'file/a.txt': 'a file\n' },
  cases: {
    ...Object.fromEntries(
      Object.keys(ANSWERS)
        .filter((path) => !/broken-body|silent-body/.test(path))
        .map((path) => [path, get(`${path}/x?q=1`)]),
    ),
    'a broken body': get('/broken-body/x'),
    'a body that stops': get('/silent-body/x'),
    'a server that is down': get('/dead/x'),
    'POST: the body is still there': get('/ok/x', { method: 'POST', body: 'hello' }),
    'POST: a large body': {
      act: get('/ok/x', { method: 'POST', body: LONG }),
      normalize: [LAST_DEED],
    },
    'POST: larger than the auth location takes': get('/unlimited/x', { method: 'POST', body: 'x'.repeat(20) }),
    'a chunked body': on([
      'POST /ok/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    ]),
    'a body that comes later': on([
      'POST /ok/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 10\r\n\r\nhello',
      60,
      'world',
    ]),
    'Expect: 100-continue': on([
      'POST /ok/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n',
      { received: '100 Continue' },
      'hello',
    ]),
    'a denied body': get('/forbidden/x', { method: 'POST', body: 'hello' }),
    'a denied body, kept': inSuccession(
      request('/forbidden/x', { method: 'POST', body: 'hello', keep: true }),
      request('/ok/x', { keep: true }),
    ),
    HEAD: get('/ok/x', { method: 'HEAD' }),
    'unbuffered, a long answer': get('/unbuffered/x'),
    'unbuffered, a short answer': get('/unbuffered-ok/x'),
    'by return': get('/return/x'),
    'by return 401': get('/return-401/x'),
    'by return 444': get('/return-444/x'),
    'by return 408': get('/return-408/x'),
    'by return 499': get('/return-499/x'),
    'by return 302': get('/return-302/x'),
    'the auth location has an error_page': get('/page/x'),
    'error_page 401 in a named location': get('/denied-page/x'),
    'error_page 500': get('/error-page/x'),
    'a location that is not there': get('/nowhere/x'),
    'a query in the URI is a part of the path': get('/query/x'),
    'the auth location rewrites': get('/rewritten/x'),
    'the auth location redirects to its slash': get('/prefix/x'),
    'the auth location asks itself': get('/cycle/x'),
    'a rewrite comes first': get('/redirected/x'),
    'asked anew behind try_files': {
      act: get('/files/x'),
      without: { 'access log': 'behind try_files nginx’s $args is an empty text, not nothing' },
    },
    'return comes first': get('/return-first/x'),
    log_subrequest: get('/logged/x?q=1'),
    'log_subrequest, by return': get('/logged-return/x'),
    'log_subrequest, denied': get('/logged-denied/x'),
    'log_subrequest, the server is down': get('/logged-dead/x'),
    'deny comes first': get('/deny/x'),
    'deny in the auth location says nothing': get('/deny-in-auth/x'),
    'a file': { act: get('/file/a.txt'), normalize: [{ from: /ETag: "\w+-/g, to: 'ETag: "time-' }] },
    'a file that is not there': { act: get('/file/b.txt'), normalize: [LAST_DEED] },
    'what the auth server sees': get('/host/x?q=1', { method: 'POST', body: 'abc', headers: ['X-Own: 1'] }),
    'internal, from outside': get('/auth/ok'),
    'keep-alive of both': {
      act: inSuccession(
        request('/ok/1', { keep: true }),
        request('/unauthorized/2', { keep: true }),
        request('/no-content/3', { keep: true }),
      ),
    },
    pipelined: pipelined(request('/ok/1', { keep: true }), request('/forbidden/2', { keep: true })),
    'HTTP/1.0': get('/ok/x', { version: '1.0' }),
    'the client leaves while the server is asked': {
      act: on([request('/silent/x', { keep: true }), 60, HANG_UP]),
      settleMs: 60,
    },
    'the client leaves, proxy_ignore_client_abort': {
      act: on([request('/ignoring/x', { keep: true }), 60, HANG_UP]),
      settleMs: 500,
    },
  },
});

const basic = (user: string, password: string) =>
  `Authorization: Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

compare('auth_request with satisfy', {
  backends: {
    A: (seen) => reply(seen.target),
    AUTH: (seen) => auth(ANSWERS[seen.target] ?? reply('', '404 Not Found')),
  },
  files: { users: 'me:{PLAIN}secret\n' },
  http: `
    server {
      listen 127.0.0.1:%%PORT%%;
      satisfy any;
      location /auth/ { internal; proxy_pass http://%%AUTH%%/; proxy_pass_request_body off; }
      location /allowed-ok/ { allow all; auth_request /auth/ok; proxy_pass http://%%A%%; }
      location /allowed-no/ { allow all; auth_request /auth/forbidden; proxy_pass http://%%A%%; }
      location /denied-ok/ { deny all; auth_request /auth/ok; proxy_pass http://%%A%%; }
      location /denied-no/ { deny all; auth_request /auth/forbidden; proxy_pass http://%%A%%; }
      location /denied-who/ { deny all; auth_request /auth/unauthorized; proxy_pass http://%%A%%; }
      location /denied-error/ { deny all; auth_request /auth/error; proxy_pass http://%%A%%; }
      location /basic-ok/ { auth_basic site; auth_basic_user_file %%DIR%%/users; auth_request /auth/ok; proxy_pass http://%%A%%; }
      location /basic-no/ { auth_basic site; auth_basic_user_file %%DIR%%/users; auth_request /auth/forbidden; proxy_pass http://%%A%%; }
      location /basic-who/ { auth_basic site; auth_basic_user_file %%DIR%%/users; auth_request /auth/unauthorized; proxy_pass http://%%A%%; }
      location /who/ { auth_request /auth/unauthorized; proxy_pass http://%%A%%; }
      location /all-basic-ok/ { satisfy all; auth_basic site; auth_basic_user_file %%DIR%%/users; auth_request /auth/ok; proxy_pass http://%%A%%; }
      location /all-basic-no/ { satisfy all; auth_basic site; auth_basic_user_file %%DIR%%/users; auth_request /auth/forbidden; proxy_pass http://%%A%%; }
      location /all-allowed-no/ { satisfy all; allow all; auth_request /auth/forbidden; proxy_pass http://%%A%%; }
    }`,
  cases: {
    ...Object.fromEntries(
      ['allowed-ok', 'allowed-no', 'denied-ok', 'denied-no', 'denied-who', 'denied-error', 'who', 'all-allowed-no'].map(
        (name) => [name, { act: get(`/${name}/`), normalize: [LAST_DEED] }],
      ),
    ),
    ...Object.fromEntries(
      ['basic-ok', 'basic-no', 'basic-who', 'all-basic-ok', 'all-basic-no'].flatMap((name) => [
        [`${name}, nobody`, get(`/${name}/`)],
        [`${name}, right user`, get(`/${name}/`, { headers: [basic('me', 'secret')] })],
        [`${name}, wrong user`, get(`/${name}/`, { headers: [basic('me', 'no')] })],
      ]),
    ),
  },
});

compare('auth_request_set', {
  backends: {
    A: (seen) => reply(seen.headers.filter(([name]) => /^x-/i.test(name)).join(' ')),
    AUTH: (seen) => auth(ANSWERS[seen.target] ?? reply('', '404 Not Found')),
  },
  http: `
    map $auth_user $group { alice admins; default others; }
    map $uri $where { ~^/auth in-auth; default outside; }
    log_format set '$status user=[$auth_user] status=[$auth_status] group=[$group] own=[$own] id=[$same] sent=[$auth_sent]';
    access_log access.log set;
    auth_request_set $auth_user $upstream_http_x_user;
    auth_request_set $auth_status $upstream_status;
    auth_request_set $auth_sent $sent_http_content_type;
    server {
      listen 127.0.0.1:%%PORT%%;
      set $own before;
      set $same -;
      location /auth/ { internal; set $own "set in the auth location"; proxy_set_header Connection ""; proxy_set_header X-Where $where; proxy_pass http://%%AUTH%%/; }
      location /inherited/ { auth_request /auth/ok; proxy_set_header Connection ""; proxy_set_header X-User $auth_user; proxy_set_header X-Group $group; proxy_set_header X-Where $where; proxy_pass http://%%A%%; }
      location /replaced/ { auth_request /auth/ok; auth_request_set $other "$upstream_http_x_user/$request_uri/$uri"; proxy_set_header Connection ""; proxy_set_header X-User "$auth_user|$other"; proxy_pass http://%%A%%; }
      location /no-user/ { auth_request /auth/created; proxy_set_header Connection ""; proxy_set_header X-User "[$auth_user]"; proxy_pass http://%%A%%; }
      location /denied/ { auth_request /auth/unauthorized; proxy_pass http://%%A%%; }
      location /off/ { auth_request off; proxy_set_header Connection ""; proxy_set_header X-User "[$auth_user]"; proxy_pass http://%%A%%; }
      location /args/ { auth_request /auth/ok; auth_request_set $args user=$upstream_http_x_user; proxy_pass http://%%A%%; }
      location /own/ { auth_request /auth/ok; auth_request_set $own $upstream_http_x_user; proxy_set_header Connection ""; proxy_set_header X-Own $own; proxy_pass http://%%A%%; }
      location /rate/ { auth_request /auth/ok; auth_request_set $limit_rate 100k; proxy_pass http://%%A%%; }
      location /sent/ { auth_request /auth-sent; proxy_set_header Connection ""; proxy_set_header X-Sent $auth_sent; proxy_pass http://%%A%%; }
      location = /auth-sent { default_type text/x-auth; return 200 ok; }
      location /header/ { auth_request /auth/ok; add_header X-User $auth_user; proxy_pass http://%%A%%; }
      location /dead/ { auth_request /auth-dead; proxy_pass http://%%A%%; }
      location = /auth-dead { proxy_pass http://127.0.0.1:%%DEAD%%; }
    }`,
  cases: Object.fromEntries(
    ['inherited', 'replaced', 'no-user', 'denied', 'off', 'args', 'own', 'rate', 'sent', 'header', 'dead'].map(
      (name) => [name, get(`/${name}/x`)],
    ),
  ),
});

compare('auth_request inherited', {
  backends: {
    A: (seen) => reply(seen.target),
    AUTH: (seen) => auth(ANSWERS[seen.target] ?? reply('', '404 Not Found')),
  },
  http: `
    auth_request /auth/forbidden;
    server {
      listen 127.0.0.1:%%PORT%%;
      server_name http;
      location / { proxy_pass http://%%A%%; }
      location /auth/ { proxy_pass http://%%AUTH%%/; }
      location /off/ { auth_request off; proxy_pass http://%%A%%; location /off/not/ { auth_request /auth/unauthorized; proxy_pass http://%%A%%; } }
      location /if/ { if ($arg_a) { add_header X-If yes; } auth_request /auth/ok; proxy_pass http://%%A%%; }
      location /except/ { limit_except GET { allow all; } auth_request /auth/ok; proxy_pass http://%%A%%; }
    }
    server {
      listen 127.0.0.1:%%PORT%%;
      server_name own;
      auth_request /auth/ok;
      location / { proxy_pass http://%%A%%; }
      location /auth/ { proxy_pass http://%%AUTH%%/; }
    }`,
  cases: {
    'from http': get('/', { host: 'http' }),
    'from the server': get('/', { host: 'own' }),
    off: get('/off/x', { host: 'http' }),
    'on again within': get('/off/not/x', { host: 'http' }),
    'in an if': get('/if/?a=1', { host: 'http' }),
    'in limit_except': get('/except/', { host: 'http', method: 'DELETE' }),
    'the auth location itself, from outside': get('/auth/ok', { host: 'http' }),
  },
});
