import { reply } from '../support/scripted-backend.ts';
import { get, HANG_UP, head, on, raw, request } from './client-script.ts';
import { compare } from './compare.ts';

compare('log_format', {
  backends: { A: reply('body', '200 OK', { 'X-Odd': 'q"\\\xe9', 'Set-Cookie': 'a=b' }) },
  http: `
    log_format default_escape '[$http_x_odd] [$http_x_none] [$arg_a] [$uri]';
    log_format explicit_default escape=default '[$http_x_odd]';
    log_format json escape=json '{"odd":"$http_x_odd","none":"$http_x_none","args":"$args"}';
    log_format none escape=none '[$http_x_odd] [$http_x_none]';
    log_format joined 'one ' 'two ' "three $request_method" ' \${status}' ' 100%';
    log_format bytes '$bytes_sent $body_bytes_sent $request_length';
    log_format times 't=$request_time m=$msec [$time_local] $time_iso8601';
    log_format pipe '$pipe $connection_requests';
    server_tokens off;
    server {
      listen 127.0.0.1:%%PORT%%;
      location /default { access_log access.log default_escape; return 200; }
      location /explicit { access_log access.log explicit_default; return 200; }
      location /json { access_log access.log json; return 200; }
      location /none { access_log access.log none; return 200; }
      location /joined { access_log access.log joined; return 200; }
      location /bytes { access_log access.log bytes; return 200 "twelve bytes"; }
      location /bytes-404 { access_log access.log bytes; return 404; }
      location /bytes-proxied { access_log access.log bytes; proxy_pass http://%%A%%; }
      location /times { access_log access.log times; return 200; }
      location /combined { access_log access.log combined; return 200 "x"; }
      location /unnamed { access_log access.log; return 200 "x"; }
      location /pipe { access_log access.log pipe; return 200; }
    }`,
  cases: {
    'default escaping': get('/default/%22x%5c%01?a=%22', { headers: [`X-Odd: a"b\\c\xe9<>\t.`] }),
    'escape=default': get('/explicit', { headers: ['X-Odd: a"b\\c\xe9\xff'] }),
    'escape=json': get('/json?x="\\', { headers: ['X-Odd: a"b\\c\td\xc3\xa9/'] }),
    'escape=none': get('/none', { headers: ['X-Odd: a"b\\c\td\xc3\xa9'] }),
    'several strings, braces and a percent sign': get('/joined'),
    'byte counts': get('/bytes'),
    'byte counts of HEAD': get('/bytes', { method: 'HEAD' }),
    'byte counts of an error page': get('/bytes-404'),
    'byte counts, proxied': get('/bytes-proxied'),
    'request_length with a body': get('/bytes-proxied', { method: 'POST', body: 'x'.repeat(100) }),
    times: get('/times'),
    combined: get('/combined?q=1', {
      headers: ['Referer: http://ref.example/', 'User-Agent: test "agent"', 'Authorization: Basic am9lOnNlY3JldA=='],
    }),
    'no format named: combined': get('/unnamed'),
    'pipelined or not': raw(request('/pipe', { keep: true }), request('/pipe')),
    'odd request line': get('/combined/"\\\xe9'),
  },
});

compare('access_log', {
  backends: { A: reply('body') },
  http: `
    log_format short '$uri $status';
    log_format other 'other $uri';
    access_log top.log short;
    server {
      listen 127.0.0.1:%%PORT%%;
      location / { return 200; }
      location /off { access_log off; return 200; }
      location /several { access_log top.log short; access_log second.log other; return 200; }
      location /replaced { access_log second.log other; return 200; }
      location /if { access_log top.log short if=$arg_log; return 200; }
      location /variable { access_log $arg_name.log short; return 200; }
      location /buffered { access_log buffered.log short buffer=4k flush=50ms; return 200; }
      location /nested/ {
        access_log second.log other;
        return 200;
        location /nested/inherits { return 200; }
        location /nested/off { access_log off; return 200; }
      }
      location /proxied { proxy_pass http://%%A%%; }
      location /slow { proxy_pass http://%%A%%; }
    }
    server { listen 127.0.0.1:%%PORT_2%%; access_log off; location / { return 200; } location /on { access_log top.log short; return 200; } }`,
  cases: {
    inherited: get('/'),
    off: get('/off'),
    several: get('/several'),
    replaced: get('/replaced'),
    'if: true': get('/if?log=yes'),
    'if: 0': get('/if?log=0'),
    'if: empty': get('/if?log='),
    'if: unset': get('/if'),
    'a variable in the path': get('/variable?name=named'),
    buffered: { act: get('/buffered'), settleMs: 150 },
    'nested: inherited': get('/nested/inherits'),
    'nested: off': get('/nested/off'),
    'off for the server': get('/', { port: 'PORT_2' }),
    'on again in a location': get('/on', { port: 'PORT_2' }),
    'a malformed request is logged': raw('NONSENSE\r\n\r\n'),
    'a client that says nothing is not logged': on([HANG_UP]),
    'no Host: logged at server level': raw(head('GET /several HTTP/1.1')),
    'one line per request of a connection': raw(
      request('/1', { keep: true }),
      request('/2', { keep: true }),
      request('/3'),
    ),
  },
});
