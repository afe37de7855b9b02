import { makeCertificate } from '../support/certificates.ts';
import { type Connection, get, HANG_UP, on, request } from './client-script.ts';
import { compare } from './compare.ts';
import type { Stage } from './stage.ts';

/** How long it takes, in whole seconds. */
const timed =
  (connection: Connection) =>
  async (stage: Stage): Promise<void> => {
    const begunAt = performance.now();
    await stage.play(connection);
    stage.note(`took ${Math.floor((performance.now() - begunAt + 100) / 1000)} s`);
  };

const EC = makeCertificate('ec.example');
const TEXT = 'x'.repeat(3500);

compare('limit_rate on texts that are returned', {
  files: { 'c.pem': EC.cert, 'c.key': EC.key },
  http: `
    log_format rate '$request_uri $status $limit_rate $body_bytes_sent $request_completion';
    access_log access.log rate;
    server {
      listen 127.0.0.1:%%PORT%%;
      listen 127.0.0.1:%%PORT_2%% ssl;
      ssl_certificate c.pem;
      ssl_certificate_key c.key;
      location /limited { limit_rate 2000; return 200 "${TEXT}"; }
      location /set { set $limit_rate 2000; return 200 "${TEXT}"; }
      location /freed { limit_rate 100; set $limit_rate 0; return 200 "${TEXT}"; }
      location /after { limit_rate 1000; limit_rate_after 3000; return 200 "${TEXT}"; }
      location /variable { limit_rate $arg_rate; return 200 "${TEXT}"; }
      location /quick { limit_rate 10m; return 200 "${TEXT}"; }
      location /error { limit_rate 2000; error_page 418 /page; return 418; }
      location = /page { internal; limit_rate 2000; return 503 "${TEXT}"; }
      location /redirect { limit_rate 100; return 302 /elsewhere; }
      location /empty { limit_rate 1k; return 204; }
    }`,
  cases: {
    limit_rate: timed(get('/limited')),
    'limit_rate, TLS': timed(get('/limited', { port: 'PORT_2', tls: {} })),
    'set $limit_rate': timed(get('/set')),
    'set to 0': timed(get('/freed')),
    limit_rate_after: timed(get('/after')),
    'with a variable': timed(get('/variable?rate=2000')),
    'a variable that is 0': timed(get('/variable?rate=0')),
    'a limit that is not reached': timed(get('/quick')),
    HEAD: timed(get('/limited', { method: 'HEAD' })),
    'a page of an error': timed(get('/error')),
    'nothing to limit': timed(get('/empty')),
    'on a kept connection, another request behind it': timed(
      on([request('/limited', { keep: true }), { responses: 1 }, request('/empty')]),
    ),
    'the client hangs up meanwhile': {
      act: on([request('/limited'), { received: 'xxx' }, HANG_UP]),
      settleMs: 1500,
      differs: { because: 'limit_rate', evenkeel: { 'access log': /\/limited.* 200/, client: /^/ } },
    },
  },
});
