import { afterAll, beforeAll } from 'vitest';
import { replyAndClose } from '../support/scripted-backend.ts';
import { type UnacceptingPort, unacceptingPort } from '../support/unaccepting-port.ts';
import { get, HANG_UP, on, post, request, times } from './client-script.ts';
import { compare } from './compare.ts';

let hanging: UnacceptingPort | undefined;
beforeAll(async () => {
  hanging = await unacceptingPort();
});
afterAll(() => hanging?.stop());

compare('proxy_connect_timeout', {
  backends: { A: replyAndClose('A') },
  addresses: () => ({ HANGS: `127.0.0.1:${hanging?.port}` }),
  http: `
    proxy_connect_timeout 350ms;
    upstream both { server %%HANGS%%; server %%A%%; }
    upstream strict { server %%HANGS%% max_fails=0; server %%A%% max_fails=0; }
    server {
      listen 127.0.0.1:%%PORT%%;
      location / { proxy_pass http://%%HANGS%%; }
      location /both { proxy_pass http://both; }
      location /post { proxy_pass http://strict; }
      location /error-only { proxy_pass http://strict; proxy_next_upstream error; }
    }`,
  cases: {
    '504': get('/'),
    POST: post('/', 'x'),
    'the next peer, and the first is out': times(4, get('/both')),
    'POST goes to the next peer: nothing was sent': times(2, post('/post', 'x')),
    'not for error alone': times(2, get('/error-only')),
    'the client goes away meanwhile': { act: on([request('/'), 80, HANG_UP]), settleMs: 50 },
  },
});
