import { HANG, KEEP, reply } from '../support/scripted-backend.ts';
import { get, HANG_UP, inSuccession, on, pipelined, request } from './client-script.ts';
import { compare } from './compare.ts';

const LONG = 'x'.repeat(200_000);
const FIELDS =
  'proxy_set_header Connection ""; proxy_set_header X-Original-URI $request_uri; proxy_set_header X-Seen "$uri $args $request_method $http_x_own";';
/** nginx's log says of a request what its connection did last, for a copy that is. */
const LAST_DEED = { from: / while sending (to client|request to upstream)/g, to: '' };

compare('mirror', {
  backends: {
    A: (seen) =>
      seen.target.startsWith('/slow') ? [100, reply(seen.target), KEEP] : reply(`${seen.target} ${seen.body.length}`),
    M: (seen) =>
      seen.target.startsWith('/late')
        ? [HANG]
        : seen.target.startsWith('/no')
          ? reply('no', '503 No')
          : reply('copied'),
    N: reply('copied too'),
  },
  files: { 'files/a.txt': 'a file\n' },
  http: `
    limit_req_zone $uri zone=copies:1m rate=1r/m;
    access_log access.log combined;
    log_format sub '$request_method "$request" $uri $args $status $upstream_status';
    server {
      listen 127.0.0.1:%%PORT%%;
      client_max_body_size 300k;
      location / { mirror /m; proxy_pass http://%%A%%; }
      location = /m { internal; access_log mirror.log sub; ${FIELDS} proxy_pass http://%%M%%$request_uri; }
      location /two/ { mirror /m; mirror /n; proxy_pass http://%%A%%; }
      location = /n { internal; ${FIELDS} proxy_pass http://%%N%%; }
      location /off/ { mirror off; proxy_pass http://%%A%%; }
      location /bodyless/ { mirror /m2; mirror_request_body off; proxy_pass http://%%A%%; }
      location = /m2 { internal; ${FIELDS} proxy_pass_request_body off; proxy_set_header Content-Length ""; proxy_pass http://%%M%%; }
      location /unbuffered/ { mirror /n; proxy_request_buffering off; proxy_http_version 1.1; proxy_pass http://%%A%%; }
      location /return/ { mirror /n; return 200 "returned before"; }
      location /denied/ { mirror /n; deny all; proxy_pass http://%%A%%; }
      location /files/ { mirror /n; root %%DIR%%; }
      location /dead/ { mirror /m-dead; proxy_pass http://%%A%%; }
      location = /m-dead { proxy_pass http://127.0.0.1:%%DEAD%%; }
      location /nowhere/ { mirror /nowhere-at-all; proxy_pass http://%%A%%; }
      location /logged/ { mirror /m-logged; proxy_pass http://%%A%%; }
      location = /m-logged { log_subrequest on; access_log mirror.log sub; proxy_pass http://%%M%%; }
      location /logged-return/ { mirror /m-return; proxy_pass http://%%A%%; }
      location = /m-return { log_subrequest on; access_log mirror.log sub; return 204; }
      location /logged-static/ { mirror /files/a.txt; proxy_pass http://%%A%%; }
      location /limited/ { mirror /m-limited; proxy_pass http://%%A%%; }
      location = /m-limited { limit_req zone=copies; proxy_pass http://%%N%%; }
      location /small/ { mirror /m-small; proxy_pass http://%%A%%; }
      location = /m-small { client_max_body_size 3; proxy_pass http://%%N%%; }
      location /no-copies/ { mirror /m-mirrored; proxy_pass http://%%A%%; }
      location = /m-mirrored { mirror /n; proxy_pass http://%%M%%; }
      location /denied-copy/ { mirror /m-denied; proxy_pass http://%%A%%; }
      location = /m-denied { deny all; proxy_pass http://%%N%%; }
      location /rewritten/ { mirror /m-rewritten; proxy_pass http://%%A%%; }
      location = /m-rewritten { rewrite ^ /n?added=1 last; }
      location /with-body/ { mirror /m-body; proxy_set_header Connection ""; proxy_set_header X-Body $request_body; proxy_pass http://%%A%%; }
      location = /m-body { proxy_set_header Connection ""; proxy_set_header X-Body $request_body; proxy_pass http://%%N%%; }
      location /file-body/ { client_body_buffer_size 1k; mirror /n; mirror /m; proxy_pass http://%%A%%; }
      location /nested/ { mirror /n; location /nested/off/ { mirror off; proxy_pass http://%%A%%; } location /nested/more/ { mirror /m; proxy_pass http://%%A%%; } location /nested/same/ { proxy_pass http://%%A%%; } }
      location /redirected/ { mirror /n; try_files /nothing /two/x; }
      location /auth/ { auth_request /ok; mirror /n; proxy_pass http://%%A%%; }
      location = /ok { return 204; }
    }`,
  cases: {
    'one copy': get('/x?q=1', { headers: ['X-Own: 1'] }),
    'two copies': get('/two/x?q=1'),
    off: get('/off/x'),
    POST: get('/x', { method: 'POST', body: 'hello' }),
    'POST, two copies': get('/two/x', { method: 'POST', body: 'hello' }),
    'a chunked body': on([
      'POST /two/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    ]),
    'a body that comes later': on([
      'POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 10\r\n\r\nhello',
      60,
      'world',
    ]),
    'Expect: 100-continue': on([
      'POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n',
      { received: '100 Continue' },
      'hello',
    ]),
    'an empty body': get('/x', { method: 'POST', body: '' }),
    'a large body, in a file': { act: get('/file-body/x', { method: 'PUT', body: LONG }), normalize: [LAST_DEED] },
    'a large body, too large': get('/x', { method: 'POST', body: LONG + LONG }),
    'a chunked body, malformed': on(['POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n']),
    'a body cut short': on(['POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello', 40, HANG_UP]),
    $request_body: get('/with-body/x', { method: 'POST', body: 'hello' }),
    'mirror_request_body off': get('/bodyless/x', { method: 'POST', body: 'hello' }),
    'mirror_request_body off, a large body': {
      act: get('/bodyless/x', { method: 'POST', body: LONG }),
      normalize: [LAST_DEED],
    },
    'proxy_request_buffering off': get('/unbuffered/x', { method: 'POST', body: 'hello' }),
    HEAD: get('/x', { method: 'HEAD' }),
    DELETE: get('/x', { method: 'DELETE' }),
    'return comes first': get('/return/x'),
    'deny comes first': get('/denied/x'),
    'a file': { act: get('/files/a.txt'), normalize: [{ from: /ETag: "\w+-/g, to: 'ETag: "time-' }] },
    'no file': { act: get('/files/b.txt'), normalize: [LAST_DEED] },
    'the copy fails': get('/dead/x'),
    'the copy is answered with 503': get('/no/x'),
    'the location of the copy is not there': get('/nowhere/x'),
    log_subrequest: get('/logged/x?q=1'),
    'log_subrequest, by return': get('/logged-return/x?q=1'),
    'log_subrequest, a file, POST': get('/logged-static/x', { method: 'POST', body: 'x' }),
    'limit_req in the location of the copy': [get('/limited/x'), get('/limited/x')],
    'a small client_max_body_size in the location of the copy': get('/small/x', { method: 'POST', body: 'hello' }),
    'no copies of copies': get('/no-copies/x'),
    'deny in the location of the copy says nothing': get('/denied-copy/x'),
    'the location of the copy rewrites': get('/rewritten/x?q=1'),
    'nested: off': get('/nested/off/x'),
    'nested: another': get('/nested/more/x'),
    'nested: inherited': get('/nested/same/x'),
    'behind try_files': get('/redirected/x?q=1'),
    'behind auth_request': get('/auth/x', { method: 'POST', body: 'hello' }),
    'several requests on a connection': inSuccession(
      request('/1', { keep: true }),
      request('/2', { keep: true, method: 'POST', body: 'hello' }),
      request('/3', { keep: true }),
    ),
    'the client leaves': {
      act: on([request('/slow', { keep: true }), 40, HANG_UP]),
      settleMs: 60,
      normalize: [LAST_DEED],
    },
    pipelined: pipelined(request('/1', { keep: true }), request('/2', { keep: true })),
  },
});

compare('a mirror that is slow', {
  backends: { A: (seen) => reply(seen.target), M: [150, reply('late'), KEEP] },
  http: `
    access_log access.log seen;
    server {
      listen 127.0.0.1:%%PORT%%;
      location / { mirror /m; proxy_pass http://%%A%%; }
      location /m { access_log off; proxy_pass http://%%M%%; }
    }`,
  cases: {
    'the answer does not wait for it': get('/x'),
    'the client leaves before it is done': {
      act: on([request('/x', { keep: true }), { responses: 1 }, HANG_UP]),
      settleMs: 200,
    },
    'nor does the next request': {
      act: inSuccession(request('/1', { keep: true }), request('/2', { keep: true })),
      differs: { because: 'mirrors', evenkeel: { 'access log': /GET \/1 .*\n.*GET \/2 / } },
    },
  },
});
