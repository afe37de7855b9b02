import { HANG, replyAndClose } from '../support/scripted-backend.ts';
import { get, post, times } from './client-script.ts';
import { compare } from './compare.ts';

const to = (target: string) => replyAndClose('x', '200 OK', { 'X-Accel-Redirect': target, 'X-A': 'first' });

compare('the $upstream_ lists of all attempts', {
  backends: {
    A: (got) => to(got.target.slice(1).replace(/^\w+\?to=/, '')),
    B: replyAndClose('from B', '200 OK', { 'X-A': 'second' }),
    ILL: replyAndClose('ill', '503 Ill', { 'X-A': 'ill' }),
    SILENT: [HANG],
  },
  errorLevel: 'warn',
  http: `
    log_format lists '$uri $status [$upstream_addr] [$upstream_status] [$upstream_response_length] [$upstream_bytes_received] [$upstream_bytes_sent] [$upstream_connect_time] [$upstream_header_time] [$upstream_response_time] [$upstream_http_x_a]';
    access_log access.log lists;
    server_tokens off;
    proxy_set_header Host fixed;
    upstream ill { server %%ILL%% max_fails=0; server 127.0.0.1:%%DEAD%% max_fails=0; server %%B%% backup; }
    upstream worse { server %%ILL%% max_fails=0; server 127.0.0.1:%%DEAD%% max_fails=0; }
    upstream silent { server %%ILL%% max_fails=0; server %%SILENT%% max_fails=0; }
    upstream dead { server 127.0.0.1:%%DEAD%%; server 127.0.0.1:%%DEAD_2%%; }
    proxy_next_upstream error timeout http_503;
    server {
      listen 127.0.0.1:%%PORT%%;
      location / { proxy_pass http://%%A%%; }
      location /second { internal; proxy_pass http://%%B%%; }
      location /retried { proxy_pass http://ill; }
      location /worse { proxy_pass http://worse; }
      location /silent { proxy_read_timeout 250ms; proxy_pass http://silent; }
      location /dead { proxy_pass http://dead; }
      location /own { return 200 "own $args"; }
      location @named { proxy_pass http://%%B%%; }
      location @own { return 200 "named $uri"; }
    }`,
  cases: {
    'several peers': get('/retried'),
    'several peers, round robin': times(3, get('/retried')),
    'an answer, then a refused connection': get('/worse'),
    'an answer, then silence': get('/silent'),
    'none left': times(2, get('/dead')),
    'another group behind a redirect': get('/x?to=/second?a=b'),
    'several peers behind a redirect': get('/x?to=/retried'),
    'no live upstreams behind a redirect': get('/x?to=/dead'),
    'an own answer behind a redirect': get('/x?to=/own?a=b'),
    'a named location behind a redirect': get('/x?to=@named'),
    'a named location that answers itself': get('/x?to=@own'),
    'a named location that is not there': {
      act: get('/x?to=@none'),
      // nginx still names the peer that sent it there.
      normalize: [{ from: / while reading response header from upstream|, upstream: "[^"]*"/g, to: '' }],
    },
    'a redirect to itself': get('/x?to=/x?to=/own'),
    'a POST behind a redirect': post('/x?to=/second', 'body'),
    'an internal location from outside': get('/second'),
  },
});
