import { replyAndClose } from '../support/scripted-backend.ts';
import { get, head, post, raw } from './client-script.ts';
import { compare } from './compare.ts';

compare('automatic redirect to the location with a slash', {
  backends: { A: (request) => replyAndClose(request.target) },
  http: `
    server {
      listen 127.0.0.1:%%PORT%%;
      server_name first.example second.example;
      location /proxied/ { proxy_pass http://%%A%%; }
      location /both/ { proxy_pass http://%%A%%; }
      location = /both { return 200 "exact"; }
      location /local/ { return 200 "no proxy here"; }
      location "/sp ace/" { proxy_pass http://%%A%%; }
      location ^~ /caret/ { proxy_pass http://%%A%%; }
      location ~ ^/rx$ { return 200 "regex"; }
      location /rx/ { proxy_pass http://%%A%%; }
    }`,
  cases: {
    'adds the slash': get('/proxied'),
    'keeps the arguments': get('/proxied?a=b&c'),
    'names the host of the request': get('/proxied', { host: 'whatever.example' }),
    'names the host without its port': get('/proxied', { host: 'whatever.example:81' }),
    'HTTP/1.0 without a host': get('/proxied', { host: null, version: '1.0' }),
    'absolute URI': raw(head('GET http://abs.example/proxied HTTP/1.1', 'Host: x', 'Connection: close')),
    'POST as well': post('/proxied', 'x'),
    'HEAD as well': get('/proxied', { method: 'HEAD' }),
    'an exact location comes before': get('/both'),
    'only where it is proxied': get('/local'),
    'escapes the name': get('/sp%20ace'),
    '^~': get('/caret'),
    'a regex comes before or after?': get('/rx'),
    'the location itself': get('/proxied/'),
  },
});

for (const [absolute, port, server] of [
  ['on', 'on', 'off'],
  ['on', 'off', 'off'],
  ['off', 'on', 'off'],
  ['on', 'on', 'on'],
  ['on', 'off', 'on'],
]) {
  compare(`absolute_redirect ${absolute}, port_in_redirect ${port}, server_name_in_redirect ${server}`, {
    backends: { A: replyAndClose('') },
    http: `
      server {
        listen 127.0.0.1:%%PORT%%;
        server_name main.example other.example;
        absolute_redirect ${absolute};
        port_in_redirect ${port};
        server_name_in_redirect ${server};
        location /r { return 301 /there?x=$arg_x; }
        location /u { return 302 http://elsewhere.example/; }
        location /p/ { proxy_pass http://%%A%%; }
        location /relative { return 302 there; }
      }`,
    cases: {
      'return of a path': get('/r?x=1', { host: 'other.example' }),
      'return of a URL': get('/u'),
      'automatic redirect': get('/p', { host: 'other.example:8' }),
      'return of what is no path': get('/relative'),
    },
  });
}
