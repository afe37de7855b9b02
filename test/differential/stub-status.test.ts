import { get, inSuccession, on, request } from './client-script.ts';
import { compare } from './compare.ts';

/** Counts depend on what ran before on the same server, which is the same on both sides, the marker requests included. */
compare('stub_status', {
  http: `
    server {
      listen 127.0.0.1:%%PORT%%;
      location /status { stub_status; }
      location /variables { return 200 "$connections_active $connections_reading $connections_writing $connections_waiting"; }
      location /old-form { stub_status on; }
      location / { return 200; }
      location /typed { default_type text/html; stub_status; }
    }`,
  cases: {
    'the first look': get('/status'),
    'after some requests': [
      get('/'),
      inSuccession(request('/', { keep: true }), request('/', { keep: true })),
      get('/status'),
    ],
    'with waiting connections': async (stage) => {
      const waiting = [await stage.connect(), await stage.connect()];
      for (const client of waiting) {
        client.send(stage.fill(request('/', { keep: true })));
        await client.untilResponses(1);
      }
      await stage.play(get('/status'));
      for (const client of waiting) client.close();
    },
    variables: get('/variables'),
    'the old form with an argument': get('/old-form'),
    HEAD: get('/status', { method: 'HEAD' }),
    POST: get('/status', { method: 'POST', body: 'x' }),
    'types do not matter': get('/typed'),
    'a malformed request counts': [on(['NONSENSE\r\n\r\n']), get('/status')],
    'a longer path': get('/status/more'),
  },
});
