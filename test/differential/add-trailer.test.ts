import { reply, replyAndClose } from '../support/scripted-backend.ts';
import { type Connection, get, inSuccession, post, request } from './client-script.ts';
import { compare } from './compare.ts';
import { FILE_TIME } from './normalize.ts';

const ofFile = (act: Connection) => ({ act, normalize: [FILE_TIME] });

const TEXT = 'The quick brown fox jumps over the lazy dog. '.repeat(40);
const CODES = [200, 201, 202, 204, 206, 301, 302, 303, 304, 307, 308, 400, 403, 404, 500];
const HTML = { 'Content-Type': 'text/html' };

compare('add_trailer', {
  backends: {
    A: (asked) => replyAndClose('body', `${asked.target.slice(-3)} Whatever`, HTML),
    LONG: replyAndClose(TEXT, '200 OK', HTML),
    CHUNKED: reply(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\nTrailer: X-Peer\r\n\r\n4\r\nbody\r\n0\r\n\r\n',
    ),
  },
  files: { 'www/page.html': TEXT },
  http: `
    types { text/html html; }
    add_trailer X-Http http;
    server {
      listen 127.0.0.1:%%PORT%%;
      root %%DIR%%/www;
      location /inherited { return 200 "x"; }
      location /replaced { add_trailer X-Top own; return 200 "x"; }
      location /twice { add_trailer X-Top one; add_trailer x-top two; return 200 "x"; }
      location /always { add_trailer X-Always yes always; add_trailer X-Sometimes no; return 404 "x"; }
      location /page { add_trailer X-Always yes always; return 500; }
      location /variables { add_trailer X-Var "$request_method $uri $status $body_bytes_sent"; return 200 "x"; }
      location /empty { add_trailer X-Empty $arg_none; add_trailer X-Full full; return 200 "x"; }
      location /only-empty { add_trailer X-Empty ""; return 200 "x"; }
      location /no-body { return 200 ""; }
      location /unchunked { chunked_transfer_encoding off; return 200 "x"; }
      location /both { add_header Trailer X-After; add_trailer X-After a; return 200 "x"; }
      location /in-if { if ($arg_a) { add_trailer X-If if; } return 200 "x"; }
      location /gzip/ { gzip on; add_trailer X-Ratio "[$gzip_ratio]"; alias %%DIR%%/www/; }
      location /proxied/ { add_trailer X-Status "$upstream_status $upstream_bytes_received" always; proxy_pass http://%%A%%; }
      location /long { proxy_pass http://%%LONG%%; }
      location /peer { add_trailer X-Ours ours; proxy_pass http://%%CHUNKED%%; }
      ${CODES.map((code) => `location /code/${code} { return ${code} ${code > 300 && code < 309 && code !== 304 ? '/' : 'x'}; }`).join('\n')}
    }`,
  cases: {
    'from the http level': get('/inherited'),
    'own ones replace the inherited': get('/replaced'),
    'the same name twice': get('/twice'),
    'always, and not always, with 404': get('/always'),
    'always on an error page': get('/page'),
    variables: get('/variables'),
    'an empty value leaves it out': get('/empty'),
    'nothing but an empty one': get('/only-empty'),
    'no body': get('/no-body'),
    'to HTTP/1.0': get('/inherited', { version: '1.0' }),
    'to HEAD': get('/inherited', { method: 'HEAD' }),
    'to POST': post('/inherited', 'abc'),
    'without chunks': get('/unchunked'),
    'announced by hand': get('/both'),
    if: get('/in-if?a=1'),
    'if, not': get('/in-if'),
    'a file': ofFile(get('/page.html')),
    'a range of a file': ofFile(get('/page.html', { headers: ['Range: bytes=0-9'] })),
    'ranges of a file': {
      act: get('/page.html', { headers: ['Range: bytes=0-9,20-29'] }),
      normalize: [{ from: /\b\d{20}\b/g, to: '<boundary>' }, FILE_TIME],
    },
    'an impossible range': ofFile(get('/page.html', { headers: ['Range: bytes=99999-'] })),
    'no file': get('/none.html'),
    'with gzip': ofFile(get('/gzip/page.html', { headers: ['Accept-Encoding: gzip'] })),
    'with gzip, not asked for': ofFile(get('/gzip/page.html')),
    ...Object.fromEntries(CODES.map((code) => [`with ${code}`, get(`/code/${code}`)])),
    ...Object.fromEntries([200, 204, 404, 500].map((code) => [`proxied ${code}`, get(`/proxied/${code}`)])),
    'proxied, longer': get('/long'),
    'proxied, chunked': get('/peer'),
    'one after the other': ofFile(
      inSuccession(
        request('/inherited', { keep: true }),
        request('/long', { keep: true }),
        request('/inherited', { keep: true, method: 'HEAD' }),
        request('/page.html', { keep: true }),
        request('/inherited', { keep: true }),
      ),
    ),
  },
});
