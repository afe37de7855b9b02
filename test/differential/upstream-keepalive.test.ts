import { KEEP, RESET, reply, replyAndClose, type Script } from '../support/scripted-backend.ts';
import { get, inSuccession, post, request, times } from './client-script.ts';
import { type Case, compare } from './compare.ts';
import type { Stage } from './stage.ts';

const named =
  (name: string): Script =>
  (got) => {
    if (got.method === 'HEAD') return ['HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n', KEEP];
    return got.target === '/close' ? replyAndClose(name) : reply(name);
  };
const reused = (act: Case & object): Case => ({
  ...('act' in act ? act : { act }),
  isBrief: true,
  showsConnections: true,
});

compare('keepalive to upstreams', {
  backends: { A: named('A'), B: named('B') },
  errorLevel: 'warn',
  http: `
    upstream one { server %%A%%; keepalive 2; }
    upstream two { server %%A%%; server %%B%%; keepalive 4; }
    upstream small { server %%A%%; server %%B%%; keepalive 1; }
    upstream counted { server %%A%%; keepalive 2; keepalive_requests 3; }
    upstream brief { server %%A%%; keepalive 2; keepalive_timeout 100ms; }
    upstream aged { server %%A%%; keepalive 2; keepalive_time 100ms; }
    server {
      listen 127.0.0.1:%%PORT%%;
      location / { proxy_pass http://one; }
      location /two { proxy_pass http://two; }
      location /small { proxy_pass http://small; }
      location /counted { proxy_pass http://counted; }
      location /brief { proxy_pass http://brief; }
      location /aged { proxy_pass http://aged; }
      location /1.0 { proxy_pass http://one; proxy_http_version 1.0; proxy_set_header Connection close; }
    }`,
  cases: {
    'one connection for all': reused(times(4, get('/'))),
    'over one client connection as well': reused(
      inSuccession(request('/', { keep: true }), request('/', { keep: true })),
    ),
    'Connection: close of the upstream ends it': reused([get('/close'), get('/'), get('/')]),
    'each peer has its own': reused(times(6, get('/two'))),
    'the oldest goes when the cache is full': reused(times(6, get('/small'))),
    keepalive_requests: reused(times(7, get('/counted'))),
    'POST goes over a kept connection': reused([post('/', 'a'), post('/', 'b')]),
    'HEAD keeps it': reused([get('/', { method: 'HEAD' }), get('/')]),
    keepalive_timeout: reused({
      act: async (stage: Stage) => {
        await stage.play(get('/brief'));
        await new Promise((resolve) => setTimeout(resolve, 250));
        await stage.play(get('/brief'));
      },
    }),
    keepalive_time: reused({
      act: async (stage: Stage) => {
        await stage.play(get('/aged'));
        await new Promise((resolve) => setTimeout(resolve, 150));
        await stage.play(get('/aged'));
        await stage.play(get('/aged'));
      },
    }),
  },
});

compare('kept connections that break', {
  backends: {
    // the second request of a connection meets a peer that has just gone
    STALE: (_, nth) => (nth % 2 === 1 ? [''] : reply(`request ${nth}`)),
    GONE: (_, nth) => (nth % 2 === 1 ? [RESET] : reply(`request ${nth}`)),
    BODY: (_, nth) => (nth === 0 ? ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc', 20, 'extra'] : reply('fresh')),
  },
  errorLevel: 'warn',
  http: `
    upstream stale { server %%STALE%%; keepalive 2; }
    upstream gone { server %%GONE%%; keepalive 2; }
    upstream body { server %%BODY%%; keepalive 2; }
    server {
      listen 127.0.0.1:%%PORT%%;
      location /stale { proxy_pass http://stale; }
      location /gone { proxy_pass http://gone; }
      location /body { proxy_pass http://body; }
    }`,
  cases: {
    'closed at the second request: tried anew': reused(times(2, get('/stale'))),
    'reset at the second request: tried anew': reused(times(2, get('/gone'))),
    'closed at the second request, POST': reused(times(2, post('/stale', 'x'))),
    'bytes after the response: the connection is not used again': reused({
      act: async (stage: Stage) => {
        await stage.play(get('/body'));
        await new Promise((resolve) => setTimeout(resolve, 60));
        await stage.play(get('/body'));
      },
    }),
  },
});
