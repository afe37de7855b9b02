import { reply } from '../support/scripted-backend.ts';
import { get, inSuccession, post, raw, request } from './client-script.ts';
import { compare } from './compare.ts';

const HTML = 'HTTP/1.1 404 Not Found\r\nContent-Type: text/x\r\nX-Peer: a\r\nContent-Length: 4\r\n\r\nlost';

compare('error_page', {
  backends: {
    A: (seen) =>
      seen.target.startsWith('/500')
        ? 'HTTP/1.1 500 Broken\r\nContent-Length: 6\r\n\r\nbroken'
        : reply(`peer ${seen.method} ${seen.target} ${seen.body}`),
    MISSING: HTML,
    CHALLENGE: 'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="x"\r\nContent-Length: 2\r\n\r\nno',
    ACCEL: 'HTTP/1.1 503 X\r\nX-Accel-Redirect: /pages/accel\r\nContent-Length: 0\r\n\r\n',
    FOUND: 'HTTP/1.1 302 Found\r\nLocation: http://else.example/\r\nContent-Length: 0\r\n\r\n',
  },
  http: `
    server {
      listen 127.0.0.1:%%PORT%%;
      error_page 404 /pages/404;
      error_page 403 405 =200 /pages/made-good?a=b;
      error_page 502 504 = @fallback;
      error_page 410 =302 http://elsewhere.example/gone;
      error_page 409 http://elsewhere.example/$uri?$args;
      error_page 411 =444 http://elsewhere.example/;
      error_page 400 /pages/400;
      error_page 413 /pages/413;
      error_page 301 302 /pages/moved;
      error_page 494 /pages/494;
      error_page 500 /pages/500;
      location /pages/ { internal; add_header X-Page $uri always; return 200 "page $uri $args $status $request_method"; }
      location = /pages/missing { return 404; }
      location @fallback { return 200 "fallback $uri $args $request_method"; }
      location /404 { return 404; }
      location /403 { return 403; }
      location /405 { return 405; }
      location /410 { return 410; }
      location /409 { return 409; }
      location /411 { return 411; }
      location /406 { return 406; }
      location /301 { return 301 /new; }
      location /302 { return 302 http://other.example/; }
      location /494 { return 494; }
      location /497 { error_page 497 https://$host/; return 497; }
      location /496 { error_page 496 =200 /pages/496; return 496; }
      location /307 { error_page 410 =307 /there?x; return 410; }
      location /444 { error_page 404 @silent; return 404; }
      location @silent { return 444; }
      location /408 { error_page 408 /pages/408; return 408; }
      location /dead { proxy_pass http://127.0.0.1:%%DEAD%%; }
      location /dead-put { error_page 502 = @proxied; proxy_pass http://127.0.0.1:%%DEAD%%; }
      location /dead-stream { error_page 502 = @proxied; proxy_request_buffering off; proxy_pass http://127.0.0.1:%%DEAD%%; }
      location @proxied { proxy_pass http://%%A%%; }
      location /own { error_page 404 /pages/own; return 404; }
      location /none { error_page 599 /pages/599; return 404; }
      location /code { error_page 404 =418 /pages/teapot; return 404; }
      location /keep { error_page 404 = /pages/keep; return 404; }
      location /zero { error_page 404 =0 /pages/zero; return 404; }
      location /equals-text { error_page 404 = @created; return 404; }
      location @created { return 201 created; }
      location /unknown { error_page 404 @nowhere; return 404; }
      location /variable { error_page 404 $arg_to; return 404; }
      location /to-proxy { error_page 404 /proxied?x=1; return 404; }
      location /to-proxy-ok { error_page 404 = /proxied?x=1; return 404; }
      location /proxied { proxy_pass http://%%A%%; }
      location /twice { error_page 404 =500 /pages2; return 404; }
      location /pages2 { return 403; }
      location /recursive {
        recursive_error_pages on; error_page 404 =503 /recursive2; return 404;
        location /recursive2 { error_page 403 /pages/second; return 403; }
      }
      location /loop { recursive_error_pages on; error_page 404 /loop; return 404; }
      location /if { error_page 404 /pages/outer; if ($arg_in) { error_page 404 /pages/inner; return 404; } return 404; }
      location /small { client_max_body_size 2; return 200 x; }
      location /small-proxied { client_max_body_size 2; error_page 413 @proxied; proxy_pass http://%%A%%; }
      location /intercept { proxy_intercept_errors on; proxy_pass http://%%MISSING%%/; }
      location /intercept-ok { proxy_intercept_errors on; error_page 404 =200 /pages/ok; proxy_pass http://%%MISSING%%/; }
      location /not-intercepted { proxy_pass http://%%MISSING%%/; }
      location /other-status { proxy_intercept_errors on; error_page 503 /pages/503; proxy_pass http://%%MISSING%%/; }
      location /challenge { proxy_intercept_errors on; error_page 401 /pages/401; proxy_pass http://%%CHALLENGE%%/; }
      location /accel { proxy_intercept_errors on; error_page 503 /pages/503; proxy_pass http://%%ACCEL%%/; }
      location /found { proxy_intercept_errors on; proxy_pass http://%%FOUND%%/; }
      location /found-peer { proxy_intercept_errors on; error_page 302 = @proxied; proxy_pass http://%%FOUND%%/; }
      location /proxy-status { error_page 404 /500; return 404; }
      location /500 { proxy_pass http://%%A%%; }
      location /html { default_type text/html; error_page 404 /pages/x.html; return 404; }
      location / { return 200 root; }
    }`,
  cases: {
    'a URI of this server': get('/404'),
    'HEAD stays HEAD': get('/404', { method: 'HEAD' }),
    'POST becomes GET': post('/404', 'body'),
    'PUT becomes GET': get('/404', { method: 'PUT', body: 'x' }),
    '=200 and arguments': get('/403?c=d'),
    'the same for another status': get('/405'),
    '= and a named location keeps method and uri': get('/dead/x?y=z', { method: 'PUT', body: 'abc' }),
    '=302 and a URL': get('/410'),
    'a URL without = is a 302': get('/409/a%20b?c=d'),
    '=444 and a URL is a 302': get('/411'),
    'a status that no page is for': get('/406'),
    'a redirect with a page keeps its Location': get('/301'),
    'another one': get('/302'),
    '494 goes out as 400': get('/494'),
    '497 with a redirect': get('/497'),
    '496 with =200': get('/496'),
    '=307 and a path': get('/307'),
    'a named location that closes': get('/444'),
    '408 has no page': get('/408'),
    'an internal location is not for clients': get('/pages/404'),
    "a location's own pages replace the server's": get('/own'),
    'and all of them': get('/none'),
    '=418': get('/code'),
    '= alone takes the status of the page': get('/keep'),
    '=0 too': get('/zero'),
    '= with 201': get('/equals-text'),
    'a named location that is not there': get('/unknown'),
    'a variable: a path': get('/variable?to=/pages/v'),
    'a variable: a URL': get('/variable?to=http://x.example/y'),
    'a variable: a named location': get('/variable?to=@fallback'),
    'a variable: nothing': get('/variable'),
    'a proxied page has the status of the error': get('/to-proxy'),
    'unless = says otherwise': get('/to-proxy-ok'),
    'an error in the page': get('/twice'),
    recursive_error_pages: get('/recursive'),
    'recursive without an end': get('/loop'),
    'of an if': get('/if?in=1'),
    'outside of the if': get('/if'),
    '400 of a bad line': raw('GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n'),
    '400 of a bad host': raw('GET /x HTTP/1.1\r\nHost: a b\r\n\r\n'),
    '400 without a host': raw('GET /x HTTP/1.1\r\n\r\n'),
    '413': post('/small', 'too long'),
    '413 to a named location that is proxied': post('/small-proxied', 'too long'),
    'the body goes to the fallback': post('/dead-put', 'body', { method: 'PUT' }),
    'an unbuffered body goes to the fallback': post('/dead-stream', 'body', { method: 'PUT' }),
    proxy_intercept_errors: get('/intercept'),
    'intercepted with =200': get('/intercept-ok'),
    'not intercepted': get('/not-intercepted'),
    'intercepted, but no page for it': get('/other-status'),
    '401 keeps its challenge': get('/challenge'),
    'interception comes before X-Accel-Redirect': get('/accel'),
    'an intercepted redirect': get('/found'),
    'an intercepted redirect to a peer': get('/found-peer'),
    'a peer that fails as a page': get('/proxy-status'),
    'type by extension of the page': get('/html'),
    'the connection lives on': inSuccession(
      request('/404', { keep: true }),
      request('/403', { keep: true }),
      request('/404', { keep: true, method: 'POST', body: 'abc' }),
      request('/', { keep: true }),
    ),
    '500 closes': inSuccession(request('/unknown', { keep: true })),
    'Expect: 100-continue': {
      act: post('/404', 'body', { headers: ['Expect: 100-continue'] }),
    },
  },
});
