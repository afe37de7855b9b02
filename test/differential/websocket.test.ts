import { makeCertificate } from '../support/certificates.ts';
import { ECHO, reply, replyAndClose, type Script } from '../support/scripted-backend.ts';
import { type Connection, get, HALF_CLOSE, HANG_UP, head, on } from './client-script.ts';
import { compare } from './compare.ts';

const PAIR = makeCertificate('site.example');
const TLS = { cert: PAIR.cert, key: PAIR.key };

const SWITCHING =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';
const SOCKET: Script = [SWITCHING, ECHO];
const backend = { A: { script: SOCKET }, SAFE: { script: SOCKET, tls: TLS } };

/** RFC 6455 section 1.3. */
const handshake = (path: string, ...more: string[]): string =>
  head(
    `GET ${path} HTTP/1.1`,
    'Host: h',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    ...more,
  );
/** A text frame, "Hello", masked (section 5.7); a close frame. */
const HELLO = '\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58';
const CLOSE = '\x88\x82\x00\x00\x00\x00\x03\xe8';

const talk = (path: string, where: Omit<Connection, 'steps'> = {}): Connection =>
  on(
    [handshake(path), { received: 'xOo=\r\n\r\n' }, HELLO, { received: HELLO }, CLOSE, { received: CLOSE }, HALF_CLOSE],
    where,
  );

compare('WebSocket', {
  files: { 'c.pem': PAIR.cert, 'c.key': PAIR.key },
  backends: {
    ...backend,
    PLAIN: reply('plain'),
    REFUSES: replyAndClose('no', '403 Forbidden'),
  },
  http: `
    map $http_upgrade $connection_upgrade { default upgrade; '' close; }
    map $http_upgrade $kept { default upgrade; '' ''; }
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;
    proxy_read_timeout 2s;
    server {
      listen 127.0.0.1:%%PORT%%;
      listen 127.0.0.1:%%PORT_2%% ssl;
      ssl_certificate c.pem;
      ssl_certificate_key c.key;
      location / { proxy_pass http://%%A%%; }
      location /safe { proxy_pass https://%%SAFE%%; }
      location /plain { proxy_pass http://%%PLAIN%%; }
      location /kept { proxy_pass http://%%PLAIN%%; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $kept; }
      location /refused { proxy_pass http://%%REFUSES%%; }
      location /unbuffered { proxy_buffering off; proxy_pass http://%%A%%; }
    }`,
  cases: {
    plain: talk('/'),
    'through TLS': talk('/', { port: 'PORT_2', tls: {} }),
    'TLS to the upstream': talk('/safe'),
    'TLS on both sides': talk('/safe', { port: 'PORT_2', tls: {} }),
    'proxy_buffering off': talk('/unbuffered', { port: 'PORT_2', tls: {} }),
    'frames behind the handshake at once': on([handshake('/') + HELLO, { received: HELLO }, HALF_CLOSE], {
      port: 'PORT_2',
      tls: {},
    }),
    'the client hangs up': {
      act: on([handshake('/'), { received: 'xOo=\r\n\r\n' }, HANG_UP], { port: 'PORT_2', tls: {} }),
      settleMs: 100,
    },
    'the server refuses': on([handshake('/refused'), { responses: 1 }, HANG_UP], { port: 'PORT_2', tls: {} }),
    'the server answers as to any other request': on([handshake('/plain'), { responses: 1 }, HANG_UP]),
    'no Upgrade: close': get('/plain'),
    'no Upgrade, through TLS': get('/plain', { port: 'PORT_2', tls: {} }),
    'no Upgrade: nothing': get('/kept'),
    'an Upgrade that is empty': get('/plain', { headers: ['Upgrade:'] }),
    'HTTP/1.0': on([handshake('/').replace('HTTP/1.1', 'HTTP/1.0'), { received: 'xOo=\r\n\r\n' }, HALF_CLOSE]),
  },
});

compare('proxy_set_header Connection, more than once', {
  backends: { ...backend, PLAIN: reply('plain') },
  http: `
    server {
      listen 127.0.0.1:%%PORT%%;
      location /empty-first { proxy_pass http://%%A%%; proxy_set_header Connection ""; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; }
      location /empty-last { proxy_pass http://%%A%%; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; proxy_set_header Connection ""; }
      location /two { proxy_pass http://%%PLAIN%%; proxy_set_header Connection close; proxy_set_header Connection upgrade; }
      location /plain { proxy_pass http://%%PLAIN%%; proxy_set_header Connection ""; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; }
      location /upgrade-twice { proxy_pass http://%%PLAIN%%; proxy_set_header Connection upgrade; proxy_set_header Upgrade $http_upgrade; proxy_set_header Upgrade ""; }
      location /names-differ { proxy_pass http://%%PLAIN%%; proxy_set_header connection ""; proxy_set_header CONNECTION "upgrade"; }
    }`,
  cases: {
    'empty, then upgrade': talk('/empty-first'),
    'upgrade, then empty': talk('/empty-last'),
    'empty, then upgrade, for a request that wants none': get('/plain'),
    'two that are said': get('/two'),
    'Upgrade twice': on([handshake('/upgrade-twice'), { responses: 1 }, HANG_UP]),
    'names in other cases': get('/names-differ'),
  },
});
