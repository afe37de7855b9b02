import { readFileSync } from 'node:fs';
import { makeCertificate } from '../support/certificates.ts';
import { H2Client, type H2Response } from '../support/h2-client.ts';
import { CLOSE, ECHO, reply, type Script } from '../support/scripted-backend.ts';
import { type Connection, get, HALF_CLOSE, HANG_UP, head, on, request } from './client-script.ts';
import { compare } from './compare.ts';
import type { Stage } from './stage.ts';

const CA = makeCertificate('Shop CA', { isCa: true });
const SHOP = makeCertificate('shop.example', { issuer: CA, names: ['shop.example', 'www.shop.example'] });
const PAGE = '<p>The shop sells what it has, and has what it sells.</p>\n'.repeat(20);

const here = (file: string) => readFileSync(new URL(`production/${file}`, import.meta.url), 'latin1');
const tls = { servername: 'shop.example', minVersion: 'TLSv1.2' } as const;
const safe = (target: string, options: Parameters<typeof get>[1] = {}) =>
  get(target, { host: 'shop.example', port: 'PORT_TLS', tls, ...options });
const json = (body: string, status = '200 OK') => reply(body, status, { 'Content-Type': 'application/json' });

/** A backend of the API: what is asked of it says what it does. */
const api =
  (name: string): Script =>
  ({ target, headers }) => {
    if (/^upgrade: websocket/im.test(headers.join('\n')))
      return ['HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n', ECHO];
    if (target.includes(`fails=${name}`)) return json('{"error":true}', '503 Service Unavailable');
    if (target.includes(`dies=${name}`)) return [CLOSE];
    if (target.includes('fails=all')) return json('{"error":true}', '500 Internal Server Error');
    return json(`{"from":"${name}","path":"${target}"}`);
  };

const site =
  (name: string): Script =>
  ({ target }) => {
    if (target.startsWith('/big')) return reply(PAGE, '200 OK', { 'Content-Type': 'text/html', ETag: '"1"' });
    if (target.endsWith('.js')) return reply('let shop;', '200 OK', { 'Content-Type': 'application/javascript' });
    return reply(`${name} ${target}`, '200 OK', { 'Content-Type': 'text/html', Server: 'shop', 'X-Powered-By': 'x' });
  };

/** The same requests over HTTP/2, on one connection. */
function h2(...asked: readonly (readonly [Record<string, string>, string?])[]) {
  return async (stage: Stage): Promise<void> => {
    const client = await H2Client.connect(Number(stage.values['PORT_TLS']), {
      isTls: true,
      serverName: 'shop.example',
    });
    for (const [fields, body] of asked) show(stage, await client.ask(fields, body));
    client.close();
  };
}

function show(stage: Stage, response: H2Response): void {
  const lines: string[] = [];
  for (let i = 0; i < response.fields.length; i += 2) lines.push(`${response.fields[i]}: ${response.fields[i + 1]}`);
  stage.note(`status ${response.status}`);
  for (const line of lines.sort()) stage.note(line);
  stage.note(response.body.toString('latin1'));
}

const many = (count: number, target: string): Connection => ({
  steps: Array.from({ length: count }, (_, i) => i).flatMap((i) => [
    request(target, { host: 'shop.example', keep: i < count - 1 }),
    { responses: i + 1 },
  ]),
});

compare('a production configuration', {
  // One server more: the stage asks it whether the program is through with what came before.
  conf: here('nginx.conf').replace(
    'include conf.d/*.conf;',
    'server { listen 127.0.0.1:%%MARKER%%; access_log off; return 204; }\n    include conf.d/*.conf;',
  ),
  errorLevel: 'warn',
  files: {
    'conf.d/default.conf': here('conf.d/default.conf'),
    'shop.pem': SHOP.cert + CA.cert,
    'shop.key': SHOP.key,
    'acme/.well-known/acme-challenge/token': 'token.key',
    'errors/50x.html': '<h1>We will be back soon.</h1>\n',
  },
  backends: {
    BACKEND1: api('one'),
    BACKEND2: api('two'),
    BACKEND3: api('three'),
    FRONTEND1: site('first'),
    FRONTEND2: site('second'),
  },
  cases: {
    'plain HTTP is sent to TLS': get('/shop?item=1', { host: 'shop.example' }),
    'whatever the host says': get('/', { host: 'other.example:8080' }),
    'the ACME challenge stays in the clear': get('/.well-known/acme-challenge/token'),
    'a challenge that is not there': get('/.well-known/acme-challenge/other'),
    'no way out of the challenges': on(['GET /.well-known/acme-challenge/../../../shop.key HTTP/1.0\r\n\r\n']),
    'the front ends, in turn': { act: Array.from({ length: 4 }, () => safe('/')), isBrief: true },
    'a page of the front end: fields added and hidden': safe('/'),
    'the other name': safe('/', { host: 'www.shop.example', tls: { ...tls, servername: 'www.shop.example' } }),
    'compressed for who takes it': safe('/big', { headers: ['Accept-Encoding: gzip, br'] }),
    'and as it is for who does not': safe('/big'),
    'an asset for a year': safe('/assets/app.js'),
    'an asset of an old client, compressed or not': safe('/assets/app.js', { version: '1.0' }),
    'the API: least connections, by weight': {
      act: Array.from({ length: 8 }, (_, i) => safe(`/api/items/${i}`)),
      isBrief: true,
    },
    'the API: the client seen through': safe('/api/items?x=1', { headers: ['X-Forwarded-For: 192.0.2.7'] }),
    'the API: a body': safe('/api/orders', {
      method: 'POST',
      body: '{"item":1}',
      headers: ['Content-Type: application/json'],
    }),
    'the API: a chunked body': on(
      [
        head('POST /api/orders HTTP/1.1', 'Host: shop.example', 'Transfer-Encoding: chunked', 'Connection: close'),
        '4\r\nhalf\r\n',
        '5\r\n done\r\n0\r\n\r\n',
      ],
      { port: 'PORT_TLS', tls },
    ),
    'the API: a body too large': on(
      [head('POST /api/orders HTTP/1.1', 'Host: shop.example', 'Content-Length: 2000000'), { responses: 1 }, HANG_UP],
      { port: 'PORT_TLS', tls },
    ),
    'the API: one that answers 503 is passed over': {
      act: ['one', 'two', 'three'].map((name) => safe(`/api/x?fails=${name}`)),
      isBrief: true,
    },
    'the API: one that dies is passed over': {
      act: safe('/api/x?dies=two&dies=three'),
      isBrief: true,
      differs: {
        because: 'lost idle connections',
        evenkeel: { backends: /BACKEND1/, 'access log': / 200 .*, 200 /, 'error log': /prematurely closed connection/ },
      },
    },
    'the API: an order is not sent twice': {
      act: ['one', 'two', 'three'].map((name) => safe(`/api/orders?fails=${name}`, { method: 'POST', body: 'x' })),
      isBrief: true,
    },
    'the API: all fail': safe('/api/x?fails=all'),
    'a WebSocket through TLS': on(
      [
        head('GET /api/live HTTP/1.1', 'Host: shop.example', 'Upgrade: websocket', 'Connection: Upgrade'),
        { received: 'Upgrade\r\n\r\n' },
        'hello',
        { received: 'hello' },
        HALF_CLOSE,
      ],
      { port: 'PORT_TLS', tls },
    ),
    'a URI in proxy_pass': safe('/docs/intro?lang=en'),
    health: safe('/health'),
    'no backend: the error page': safe('/gone'),
    'the error page is nobody’s to ask for': safe('/50x.html'),
    'hidden files': {
      act: ['/.git/config', '/.env', '/a/.htaccess', '/.well-known/security.txt'].map((path) => safe(path)),
    },
    'files nobody should see': { act: ['/backup.sql', '/logs/app.LOG', '/api/.env'].map((path) => safe(path)) },
    'sign-ins by the minute': {
      act: { ...many(4, '/api/login'), port: 'PORT_TLS', tls },
      isBrief: true,
    },
    'HTTP to the TLS port': get('/', { host: 'shop.example', port: 'PORT_TLS' }),
    'many requests on one connection': { act: { ...many(6, '/'), port: 'PORT_TLS', tls }, isBrief: true },
    'a request that is none': on(['GET / HTTP/1.1\r\nHost: a b\r\n\r\n'], { port: 'PORT_TLS', tls }),
    'HTTP/2': h2(
      [{ ':path': '/', ':authority': 'shop.example' }],
      [{ ':path': '/api/items', ':authority': 'shop.example', cookie: 'a=1' }],
      [{ ':method': 'POST', ':path': '/api/orders', ':authority': 'shop.example' }, '{"item":2}'],
      [{ ':path': '/health', ':authority': 'shop.example' }],
      [{ ':path': '/.git/config', ':authority': 'shop.example' }],
      [{ ':path': '/gone', ':authority': 'shop.example' }],
      [{ ':path': '/assets/app.js', ':authority': 'www.shop.example' }],
    ),
    'the status page': {
      act: get('/nginx_status', { port: 'PORT_STATUS' }),
      normalize: [{ from: /\d+/g, to: 'N' }],
    },
    'the status page is closed to others': get('/closed', { port: 'PORT_STATUS' }),
    'health of the status server': get('/health', { port: 'PORT_STATUS' }),
    'anything else there': get('/', { port: 'PORT_STATUS' }),
  },
});
