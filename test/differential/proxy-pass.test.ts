import { reply, replyAndClose } from '../support/scripted-backend.ts';
import { type Connection, get, head, post, raw } from './client-script.ts';
import { type Case, compare } from './compare.ts';

const answer = replyAndClose('ok');

/** What variables make of a target is escaped where nginx sends two words. */
function escaped(act: Connection, backends: RegExp): Case {
  return { act, differs: { because: 'bytes from variables', evenkeel: { backends } } };
}

compare('proxy_pass and the URI', {
  backends: { A: answer, U: { script: answer, unix: true } },
  http: `
    upstream named { server %%A%%; }
    server {
      listen 127.0.0.1:%%PORT%%;
      server_name proxy.example;
      location / { proxy_pass http://%%A%%; }
      location /slash/ { proxy_pass http://%%A%%/; }
      location /noslash { proxy_pass http://%%A%%/; }
      location /uri/ { proxy_pass http://%%A%%/other/path/; }
      location /uri-noslash/ { proxy_pass http://%%A%%/other; }
      location /query/ { proxy_pass http://%%A%%/q?x=1; }
      location = /exact { proxy_pass http://%%A%%/replaced; }
      location /named/ { proxy_pass http://named; }
      location /named-uri/ { proxy_pass http://named/n/; }
      location /unix/ { proxy_pass http://%%U%%; }
      location /unix-uri/ { proxy_pass http://%%U%%:/u/; }
      location ~ ^/regex/(.*)$ { proxy_pass http://%%A%%; }
      location ~ ^/captured/(?<rest>.*)$ { proxy_pass http://%%A%%/$rest; }
      location ~ ^/captured-args/(.*)$ { proxy_pass http://%%A%%/$1$is_args$args; }
      location /variable/ { proxy_pass http://%%A%%$request_uri; }
      location /variable-uri/ { proxy_pass http://%%A%%$uri; }
      location /variable-name/ { proxy_pass http://$arg_to; }
      location /variable-name-uri/ { proxy_pass http://$arg_to/fixed; }
      location /variable-scheme/ { proxy_pass $arg_to; }
      location /variable-empty/ { proxy_pass http://$arg_none; }
      location /encoded%20path/ { proxy_pass http://%%A%%/e%20e/; }
      location "/sp ace/" { proxy_pass http://%%A%%/target/; }
      location /upper/ { proxy_pass HTTP://%%A%%/up/; }
      location /host-port/ { proxy_pass http://localhost:%%APORT%%/hp/; }
    }`.replace('localhost:%%APORT%%', '%%A%%'),
  cases: {
    'without a URI: as it came': get('/a%20b//c/../d?x=%20y'),
    'without a URI: not normalised when nothing changed': get('/A%2fb?'),
    'absolute form without a path': raw(
      'GET http://proxy.example?x=y HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    ),
    'with /: the prefix is taken off': get('/slash/a/b?c=d'),
    'with /: the rest is escaped anew': get('/slash/a%20b%2fc%3f%23?d'),
    'with /: high bytes and quotes': get('/slash/caf%C3%A9%22%27'),
    'with /: percent sign': get('/slash/100%25'),
    'with /: normalised': get('/slash//a/./b/../c'),
    'location without the slash, URI with it': get('/noslash/a'),
    'location without the slash, nothing behind': get('/noslash'),
    'with a path': get('/uri/a/b'),
    'with a path that has no slash': get('/uri-noslash/a'),
    'with arguments': get('/query/a?b=c'),
    exact: get('/exact?x=y'),
    'exact without arguments': get('/exact'),
    'upstream by name': get('/named/a'),
    'upstream by name, with a URI': get('/named-uri/a'),
    unix: get('/unix/a?b'),
    'unix, with a URI': get('/unix-uri/a?b'),
    'regex without a URI': get('/regex/a%20b?c'),
    'dots behind the prefix': {
      act: get('/noslash../x'),
      differs: {
        because: 'dots behind a prefix',
        evenkeel: {
          client: /^-- connection 1\nHTTP\/1\.1 400 Bad Request\n/,
          backends: /^$/,
          'access log': / 400 - -$/,
          'error log': /"\/noslash\.\.\/x" leads out of "\/"/,
        },
      },
    },
    'named capture': escaped(get('/captured/a%20b?c=d'), /^-- A\nGET \/a%20b HTTP\/1\.1$/m),
    'numbered capture and $args': get('/captured-args/a/b?c=d'),
    $request_uri: get('/variable/a%20b?c=d'),
    $uri: escaped(get('/variable-uri/a%20b?c=d'), /^-- A\nGET \/variable-uri\/a%20b HTTP\/1\.1$/m),
    'a variable that names an upstream': get('/variable-name/x?to=named'),
    'a variable that names an address': get('/variable-name/x?to=%%A%%'),
    'a variable that names an upstream, with a URI': get('/variable-name-uri/x?to=named'),
    'a variable with the scheme': get('/variable-scheme/x?to=http://named'),
    'a variable with the scheme and a URI': get('/variable-scheme/x?to=http://named/v'),
    'a variable that is empty': get('/variable-empty/x'),
    'a variable without a scheme': get('/variable-scheme/x?to=named'),
    'a variable that names an unknown host': get('/variable-name/x?to=nowhere.invalid'),
    'a bad port in a variable': get('/variable-name/x?to=127.0.0.1:99999'),
    'a space in the location': get('/sp%20ace/x'),
    'scheme in capitals': get('/upper/x'),
    'absolute request URI': raw(head('GET http://proxy.example/abs?x HTTP/1.1', 'Host: h', 'Connection: close')),
    'absolute request URI, prefix taken off': raw(
      head('GET http://proxy.example/slash/abs?x HTTP/1.1', 'Host: h', 'Connection: close'),
    ),
    'a plus sign and a semicolon': get('/slash/a+b;c=d'),
    'an empty query': get('/slash/a?'),
    'a fragment': get('/slash/a#f'),
  },
});

compare('what the upstream is sent', {
  backends: { A: (got) => reply(`${got.body.length}`) },
  http: `
    upstream named { server %%A%%; }
    server {
      listen 127.0.0.1:%%PORT%%;
      server_name proxy.example;
      location / { proxy_pass http://%%A%%; }
      location /named { proxy_pass http://named; }
      location /set { proxy_pass http://%%A%%; proxy_set_header Connection ""; proxy_set_header Host $host; proxy_set_header X-Real-IP $remote_addr; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme; }
      location /remove { proxy_pass http://%%A%%; proxy_set_header Connection ""; proxy_set_header User-Agent ""; proxy_set_header X-Gone ""; proxy_set_header Accept-Encoding ""; }
      location /override { proxy_pass http://%%A%%; proxy_set_header Connection ""; proxy_set_header X-Mine mine; proxy_set_header x-other "in $request_method"; }
      location /no-host { proxy_pass http://%%A%%; proxy_set_header Connection ""; proxy_set_header Host ""; }
      location /host-port { proxy_pass http://%%A%%; proxy_set_header Connection ""; proxy_set_header Host $host:$proxy_port; }
      location /http-host { proxy_pass http://%%A%%; proxy_set_header Connection ""; proxy_set_header Host $http_host; }
      location /twice { proxy_pass http://%%A%%; proxy_set_header Connection ""; proxy_set_header X-T one; proxy_set_header X-T two; }
      location /connection { proxy_pass http://%%A%%; proxy_set_header Connection close; }
      location /no-headers { proxy_pass http://%%A%%; proxy_pass_request_headers off; }
      location /no-body { proxy_pass http://%%A%%; proxy_pass_request_body off; proxy_set_header Connection ""; proxy_set_header Content-Length ""; }
      location /method { proxy_pass http://%%A%%; proxy_method PUT; }
      location /method-variable { proxy_pass http://%%A%%; proxy_method $arg_m; }
      location /body { proxy_pass http://%%A%%; proxy_set_body "own $request_method $request_body"; }
      location /body-empty { proxy_pass http://%%A%%; proxy_set_body ""; }
      location /version-1.0 { proxy_pass http://%%A%%; proxy_http_version 1.0; }
      location /inherits/ {
        proxy_set_header Connection "";
        proxy_set_header X-Outer outer;
        location /inherits/all { proxy_pass http://%%A%%; }
        location /inherits/none { proxy_pass http://%%A%%; proxy_set_header Connection ""; proxy_set_header X-Inner inner; }
      }
      location /bind { proxy_pass http://%%A%%; proxy_bind 127.0.0.9; }
    }`,
  cases: {
    defaults: get('/', { host: 'client.example', headers: ['X-A: 1', 'Accept: */*', 'User-Agent: ua'] }),
    'defaults, upstream by name': get('/named', { host: 'client.example' }),
    'hop-by-hop headers': get('/', {
      headers: [
        'Keep-Alive: timeout=5',
        'TE: trailers',
        'Upgrade: h2c',
        'Expect: nothing',
        'Proxy-Connection: x',
        'Proxy-Authorization: y',
        'Trailer: z',
      ],
    }),
    'repeated headers': get('/', {
      headers: ['X-A: 1', 'X-A: 2', 'Cookie: a=1', 'Cookie: b=2', 'Accept: x', 'Accept: y'],
    }),
    'case of names': get('/', { headers: ['x-lower: 1', 'X-UPPER: 2'] }),
    proxy_set_header: get('/set', {
      host: 'Client.Example:81',
      headers: ['X-Real-IP: forged', 'X-Forwarded-For: 1.2.3.4'],
    }),
    'proxy_set_header, no host': get('/set', { host: null, version: '1.0' }),
    'an empty value removes': get('/remove', {
      headers: ['User-Agent: ua', 'X-Gone: 1', 'Accept-Encoding: gzip', 'X-Kept: 1'],
    }),
    'overrides the client\u2019s': get('/override', { headers: ['x-mine: theirs', 'X-Other: theirs'] }),
    'Host removed': get('/no-host'),
    '$host:$proxy_port': get('/host-port', { host: 'Client.Example' }),
    $http_host: get('/http-host', { host: 'Client.Example:82' }),
    'the same name twice': get('/twice', { headers: ['X-T: zero'] }),
    'Connection set': get('/connection'),
    'headers not passed': get('/no-headers', { headers: ['X-A: 1', 'User-Agent: ua'] }),
    'body not passed': post('/no-body', 'gone'),
    proxy_method: get('/method'),
    'proxy_method with a variable': get('/method-variable?m=PATCH'),
    proxy_set_body: get('/body'),
    'proxy_set_body with $request_body': post('/body', 'theirs'),
    'proxy_set_body empty': post('/body-empty', 'theirs'),
    'HTTP/1.0 upstream': get('/version-1.0'),
    'HTTP/1.0 upstream, chunked request': raw(
      head('POST /version-1.0 HTTP/1.1', 'Host: h', 'Connection: close', 'Transfer-Encoding: chunked'),
      '3\r\nabc\r\n0\r\n\r\n',
    ),
    inherited: get('/inherits/all'),
    'not inherited': get('/inherits/none'),
    proxy_bind: get('/bind'),
    'GET with a body': get('/', { body: 'abc' }),
    'POST without a length': get('/', { method: 'POST' }),
    'POST with length 0': post('/', ''),
    'chunked request': raw(
      head('POST / HTTP/1.1', 'Host: h', 'Connection: close', 'Transfer-Encoding: chunked'),
      '3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n',
    ),
    'chunked request, no data': raw(
      head('POST / HTTP/1.1', 'Host: h', 'Connection: close', 'Transfer-Encoding: chunked'),
      '0\r\n\r\n',
    ),
    'large body': post('/', 'x'.repeat(300_000)),
    OPTIONS: get('/', { method: 'OPTIONS' }),
    PROPFIND: get('/', { method: 'PROPFIND', headers: ['Depth: 1'] }),
    'HTTP/1.0 client': raw(head('GET / HTTP/1.0', 'Host: h', 'X-A: 1')),
    'range and conditions pass': get('/', {
      headers: [
        'Range: bytes=0-1',
        'If-Modified-Since: Mon, 28 Sep 1970 06:00:00 GMT',
        'If-None-Match: "a"',
        'If-Range: "a"',
      ],
    }),
  },
});

compare('request bodies on their way', {
  backends: {
    A: (got) => replyAndClose(`${got.body.length}`),
    EARLY: { script: replyAndClose('early', '200 OK'), onHead: true },
  },
  errorLevel: 'warn',
  http: `
    client_max_body_size 10m;
    server {
      listen 127.0.0.1:%%PORT%%;
      location / { proxy_pass http://%%A%%; }
      location /small-buffer { client_body_buffer_size 1k; proxy_pass http://%%A%%; }
      location /unbuffered { proxy_request_buffering off; proxy_pass http://%%A%%; }
      location /unbuffered-1.0 { proxy_request_buffering off; proxy_http_version 1.0; proxy_pass http://%%A%%; }
      location /file { client_body_in_file_only clean; proxy_pass http://%%A%%; }
    }`,
  cases: {
    '1 MB': post('/', 'abcdefgh'.repeat(131_072)),
    '1 MB through a small buffer': post('/small-buffer', 'abcdefgh'.repeat(131_072)),
    '1 MB unbuffered': post('/unbuffered', 'abcdefgh'.repeat(131_072)),
    'chunked through a small buffer': raw(
      head('POST /small-buffer HTTP/1.1', 'Host: h', 'Connection: close', 'Transfer-Encoding: chunked'),
      `2000\r\n${'y'.repeat(8192)}\r\n1\r\nz\r\n0\r\n\r\n`,
    ),
    'chunked unbuffered': {
      steps: [
        head('POST /unbuffered HTTP/1.1', 'Host: h', 'Connection: close', 'Transfer-Encoding: chunked'),
        60,
        `2000\r\n${'y'.repeat(8192)}\r\n`,
        60,
        '1\r\nz\r\n0\r\n\r\n',
      ],
    },
    'chunked unbuffered to HTTP/1.0': raw(
      head('POST /unbuffered-1.0 HTTP/1.1', 'Host: h', 'Connection: close', 'Transfer-Encoding: chunked'),
      '3\r\nabc\r\n0\r\n\r\n',
    ),
    'in pieces': {
      steps: [
        head('POST / HTTP/1.1', 'Host: h', 'Connection: close', 'Content-Length: 9'),
        20,
        'abc',
        20,
        'def',
        20,
        'ghi',
      ],
    },
    'in pieces, unbuffered': {
      steps: [
        head('POST /unbuffered HTTP/1.1', 'Host: h', 'Connection: close', 'Content-Length: 9'),
        20,
        'abc',
        20,
        'def',
        20,
        'ghi',
      ],
    },
    'chunks split anywhere': {
      steps: [
        head('POST / HTTP/1.1', 'Host: h', 'Connection: close', 'Transfer-Encoding: chunked'),
        '1',
        10,
        '0\r',
        10,
        '\n0123456',
        10,
        '789abcdef\r',
        10,
        '\n0',
        10,
        '\r\n\r',
        10,
        '\n',
      ],
    },
  },
});
