import { replyAndClose } from '../support/scripted-backend.ts';
import { get, inSuccession, request } from './client-script.ts';
import { compare } from './compare.ts';

compare('add_header', {
  backends: {
    A: (request) =>
      replyAndClose('body', `${request.target.slice(-3)} Whatever`, { 'X-From': 'upstream', 'X-Top': 'theirs' }),
  },
  http: `
    add_header X-Http http;
    server {
      listen 127.0.0.1:%%PORT%%;
      location /inherited { return 200 "x"; }
      location /replaced { add_header X-Top own; return 200 "x"; }
      location /twice { add_header X-Top one; add_header X-Top two; return 200 "x"; }
      location /always { add_header X-Always yes always; add_header X-Sometimes no; return 404 "x"; }
      location /page { add_header X-Always yes always; return 500; }
      location /variables { add_header X-Var "$request_method $uri $status"; return 200 "x"; }
      location /empty { add_header X-Empty $arg_none; add_header X-Full full; return 200 "x"; }
      location /outer/ {
        add_header X-Outer outer;
        location /outer/inherits { return 200 "x"; }
        location /outer/own { add_header X-Inner inner; return 200 "x"; }
      }
      location /special/length { add_header Content-Length 999; return 200 "x"; }
      location /special/type { add_header Content-Type text/css; return 200 "x"; }
      location /special/modified { add_header Last-Modified "Mon, 28 Sep 1970 06:00:00 GMT"; return 200 "x"; }
      location /special/no-modified { add_header Last-Modified ""; return 200 "x"; }
      location /special/cache { add_header Cache-Control a; add_header Cache-Control b; return 200 "x"; }
      location /special/server { add_header Server mine; return 200 "x"; }
      location /special/etag { add_header ETag '"abc"'; return 200 "x"; }
      location /201 { add_header X-Code c; return 201 "x"; }
      location /204 { add_header X-Code c; return 204; }
      location /206 { add_header X-Code c; return 206 "x"; }
      location /301 { add_header X-Code c; return 301 /; }
      location /303 { add_header X-Code c; return 303 /; }
      location /304 { add_header X-Code c; return 304; }
      location /307 { add_header X-Code c; return 307 /; }
      location /308 { add_header X-Code c; return 308 /; }
      location /202 { add_header X-Code c; return 202 "x"; }
      location /400 { add_header X-Code c; return 400 "x"; }
      location /proxied/ { proxy_pass http://%%A%%; add_header X-Top ours; add_header X-Up $upstream_http_x_from always; }
    }`,
  cases: {
    'from the http level': get('/inherited'),
    'own ones replace the inherited': get('/replaced'),
    'the same name twice': get('/twice'),
    'always, and not always, with 404': get('/always'),
    'always on an error page': get('/page'),
    variables: get('/variables'),
    'an empty value leaves the header out': get('/empty'),
    'nested: inherited': get('/outer/inherits'),
    'nested: replaced': get('/outer/own'),
    'Content-Type is added beside': get('/special/type'),
    'Last-Modified replaces': get('/special/modified'),
    'Last-Modified empty': get('/special/no-modified'),
    'Cache-Control twice': get('/special/cache'),
    'Server is added beside': get('/special/server'),
    ETag: get('/special/etag'),
    ...Object.fromEntries(
      [201, 202, 204, 206, 301, 303, 304, 307, 308, 400].map((code) => [`with ${code}`, get(`/${code}`)]),
    ),
    'on a proxied 200': get('/proxied/200'),
    'on a proxied 204': get('/proxied/204'),
    'on a proxied 500': get('/proxied/500'),
  },
});

compare('types and default_type', {
  http: `
    default_type application/octet-stream;
    types { text/html html htm; image/gif gif; }
    server {
      listen 127.0.0.1:%%PORT%%;
      return 200 "x";
      location /own/ { types { text/x-own html; } return 200 "x"; }
      location /none/ { types { } default_type text/none; return 200 "x"; }
      location /var/ { default_type "text/$arg_t"; return 200 "x"; }
      location /error/ { default_type text/x; return 404; }
      location /empty/ { default_type ""; return 200 "x"; }
    }`,
  cases: {
    'by extension': get('/a.html'),
    'second extension of a type': get('/a.htm'),
    'without case': get('/a.GIF'),
    'unknown extension': get('/a.xyz'),
    'no extension': get('/a'),
    'a dot in a folder is no extension': get('/a.html/b'),
    'last dot counts': get('/a.gif.html'),
    'ends with a dot': get('/a.'),
    'types of the location replace': get('/own/a.html'),
    'types of the location: others unknown': get('/own/a.gif'),
    'empty types': get('/none/a.html'),
    'error pages are HTML': get('/error/a'),
    'empty default_type': get('/empty/a'),
  },
});

for (const tokens of ['on', 'off', 'build']) {
  compare(`server_tokens ${tokens}`, {
    http: `
      server_tokens ${tokens};
      server { listen 127.0.0.1:%%PORT%%; location /ok { return 200 "x"; } location / { return 404; } }`,
    cases: {
      'on a response and an error page': inSuccession(request('/ok', { keep: true }), request('/missing')),
      'on a refused request': get('/', { version: '9.9' }),
    },
  });
}
