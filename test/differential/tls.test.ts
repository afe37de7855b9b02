import { randomBytes } from 'node:crypto';
import { makeCertificate, makeCrl } from '../support/certificates.ts';
import { reply } from '../support/scripted-backend.ts';
import {
  type Connection,
  get,
  HALF_CLOSE,
  inSuccession,
  on,
  post,
  RESET_CONNECTION,
  raw,
  request,
} from './client-script.ts';
import { compare } from './compare.ts';
import type { Stage } from './stage.ts';

const CA = makeCertificate('Test CA', { isCa: true, subject: '/C=DE/O=Test, Inc./CN=Test CA' });
const OTHER_CA = makeCertificate('Other CA', { isCa: true });
const MIDDLE = makeCertificate('Middle', { isCa: true, issuer: CA });
const LOWER = makeCertificate('Lower', { isCa: true, issuer: MIDDLE });
const CLIENT = makeCertificate('client', {
  issuer: CA,
  subject: '/C=DE/O=Grün/OU=a\\, b+UID=u1/emailAddress=a@b.c/CN=client',
});
const REVOKED = makeCertificate('revoked', { issuer: CA, serial: 'BAD1' });
const STRANGER = makeCertificate('stranger', { issuer: OTHER_CA });
const BELOW_MIDDLE = makeCertificate('below', { issuer: MIDDLE });
const BELOW_LOWER = makeCertificate('below lower', { issuer: LOWER });
const SELF = makeCertificate('self');
const RSA = makeCertificate('rsa.example', { kind: 'rsa', names: ['a.example'] });
const EC = makeCertificate('ec.example', { names: ['a.example'] });
const B = makeCertificate('b.example');

const FILES = {
  'ca.pem': CA.cert,
  'other.pem': OTHER_CA.cert,
  'both.pem': CA.cert + OTHER_CA.cert,
  'rsa.pem': RSA.cert,
  'rsa.key': RSA.key,
  'ec.pem': EC.cert,
  'ec.key': EC.key,
  'b.pem': B.cert,
  'b.key': B.key,
  'crl.pem': makeCrl(CA, ['BAD1']),
  'ticket.key': randomBytes(48).toString('hex').slice(0, 48),
};

/** The oracle's default is older: without TLS 1.3. */
const NEWEST = 'ssl_protocols TLSv1.2 TLSv1.3;';
const EC_PAIR = 'ssl_certificate ec.pem; ssl_certificate_key ec.key;';
const B_PAIR = 'ssl_certificate b.pem; ssl_certificate_key b.key;';

/** Which certificate was shown, and what was agreed upon. */
function peer(options: Connection['tls'], port = 'PORT') {
  return async (stage: Stage): Promise<void> => {
    const client = await stage.connect({ port, tls: options ?? {} });
    const socket = client.socket as import('node:tls').TLSSocket;
    if (client.ending !== 'open' || socket.destroyed) {
      stage.note('no handshake');
      return;
    }
    stage.note(
      `${socket.getPeerCertificate().subject?.CN} ${socket.getProtocol()} ${socket.getCipher().name} ${socket.alpnProtocol}`,
    );
    client.send(request('/', { host: options?.servername ?? 'localhost' }));
    await client.untilClosed(2000);
  };
}

const byName = (servername: string, host = servername, options: Connection['tls'] = {}): Connection =>
  get('/', { host, tls: { servername, ...options } });

compare('TLS: names', {
  files: FILES,
  http: `
    ${NEWEST}
    server { listen 127.0.0.1:%%PORT%% ssl; server_name first; ${EC_PAIR} location / { return 200 "first $ssl_server_name|$host|$server_name"; } }
    server { listen 127.0.0.1:%%PORT%% ssl; server_name b.example *.wild.example .dot.example; ${B_PAIR} location / { return 200 "b $ssl_server_name|$host|$server_name"; } }
    server { listen 127.0.0.1:%%PORT%% ssl; server_name ~^(?<who>\\w+)\\.regex\\.example$; ${B_PAIR} location / { return 200 "regex $who $1 $ssl_server_name"; } }
    server { listen 127.0.0.1:%%PORT%% ssl; server_name trail.*; location / { return 200 "trailing, borrowed certificate"; } }
    server { listen 127.0.0.1:%%PORT%% ssl; server_name rejected; ssl_reject_handshake on; }`,
  cases: {
    'no name': get('/', { tls: {} }),
    'the default server': byName('unknown.example'),
    'an exact name': byName('b.example'),
    'upper case': byName('B.EXAMPLE'),
    'a leading wildcard': byName('x.wild.example'),
    'a name and those below it': byName('dot.example'),
    'a regex': byName('anna.regex.example'),
    'a trailing wildcard, without a certificate': byName('trail.example'),
    refused: byName('rejected'),
    'Host differs from the name': byName('b.example', 'first'),
    'Host is nobody, the name is known': byName('b.example', 'nobody'),
    'Host is known, the name is nobody': byName('nobody', 'b.example'),
    'without Host': on([request('/', { host: null, version: '1.0' })], { tls: { servername: 'b.example' } }),
    'a bad request goes to the server of the name': on(['GET / HTTP/1.1\r\n\r\n'], {
      tls: { servername: 'b.example' },
    }),
    'certificate of the default server': peer({ servername: 'x' }),
    'certificate of the named server': peer({ servername: 'b.example' }),
    'certificate that is borrowed': peer({ servername: 'trail.example' }),
  },
});

compare('TLS: requests', {
  files: FILES,
  backends: { A: reply('from A') },
  http: `
    ${NEWEST}
    log_format tls '$scheme $https $ssl_protocol $status $request_length $bytes_sent';
    access_log access.log tls;
    server {
      listen 127.0.0.1:%%PORT%% ssl;
      ${EC_PAIR}
      location / { return 200 "$scheme|$https|$request_method"; }
      location /big { return 200 "${'x'.repeat(2000)}"; }
      location /proxied { proxy_pass http://%%A%%; proxy_set_header Connection ""; proxy_set_header X-Scheme $scheme; }
      location /dir/ { proxy_pass http://%%A%%; }
      location /redirect { return 301 /there; }
    }
    server { listen 127.0.0.1:%%PORT_2%% ssl; ${EC_PAIR} error_page 497 =302 https://$host:1234$request_uri; return 204; }
    server { listen 127.0.0.1:%%PORT_3%% ssl; ${EC_PAIR} error_page 497 @plain; location @plain { return 418 "plain $scheme"; } }`,
  cases: {
    'one request': get('/', { tls: {} }),
    'a body': post('/proxied', 'a body', { tls: {} }),
    'a large body': post('/proxied', 'y'.repeat(200_000), { tls: {} }),
    kept: on([request('/', { keep: true }), { responses: 1 }, request('/proxied')], { tls: {} }),
    pipelined: on([request('/', { keep: true }) + request('/big')], { tls: {} }),
    'a redirect is to https': get('/redirect', { tls: {} }),
    'the slash is added with https': get('/dir', { tls: {} }),
    HEAD: get('/big', { method: 'HEAD', tls: {} }),
    'a malformed request': on(['GET / HTTP/1.1\r\nHost: a\r\n b: c\r\n\r\n'], { tls: {} }),
    'plain HTTP': get('/'),
    'plain HTTP, a body': post('/', 'abc'),
    'plain HTTP on a connection to be kept': inSuccession(request('/', { keep: true }), request('/', { keep: true })),
    'plain garbage': raw('garbage\r\n\r\n'),
    'plain HTTP, 497 to another URL': get('/x?y', { port: 'PORT_2' }),
    'plain HTTP, 497 to a location': get('/', { port: 'PORT_3' }),
    'plain HTTP, HTTP/1.0': get('/', { version: '1.0' }),
    'half close behind the request': on([request('/proxied'), { received: 'from A' }], { tls: {} }),
  },
});

compare('TLS: protocols and ciphers', {
  files: FILES,
  http: `
    ${NEWEST}
    server { listen 127.0.0.1:%%PORT%% ssl; ssl_certificate rsa.pem; ssl_certificate_key rsa.key; ${EC_PAIR}
      ssl_protocols TLSv1.2 TLSv1.3; return 200 "$ssl_protocol $ssl_cipher $ssl_session_reused $ssl_ciphers $ssl_curves"; }
    server { listen 127.0.0.1:%%PORT_2%% ssl; ${EC_PAIR} ssl_protocols TLSv1.2; return 200 "$ssl_protocol"; }
    server { listen 127.0.0.1:%%PORT_3%% ssl; ${EC_PAIR} ssl_protocols TLSv1.3; return 200 "$ssl_protocol"; }
    server { listen 127.0.0.1:%%PORT_4%% ssl; ${EC_PAIR} ssl_protocols TLSv1.2; ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305; ssl_prefer_server_ciphers on; return 200 "$ssl_cipher"; }
    server { listen 127.0.0.1:%%PORT_5%% ssl; ${EC_PAIR} ssl_protocols TLSv1.2; ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305; return 200 "$ssl_cipher"; }
    server { listen 127.0.0.1:%%PORT_6%% ssl; ${EC_PAIR} ssl_ecdh_curve secp384r1; return 200 "$ssl_curves"; }
    server { listen 127.0.0.1:%%PORT_7%% ssl; ${EC_PAIR} ssl_conf_command Ciphersuites TLS_CHACHA20_POLY1305_SHA256; return 200 "$ssl_cipher"; }`,
  cases: {
    'TLS 1.3': peer({}),
    'TLS 1.2': peer({ maxVersion: 'TLSv1.2' }),
    'a client for RSA': peer({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' }),
    'a client for ECDSA': peer({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }),
    'only TLS 1.2': peer({}, 'PORT_2'),
    'only TLS 1.2, a client of 1.3': peer({ minVersion: 'TLSv1.3' }, 'PORT_2'),
    'only TLS 1.3': peer({}, 'PORT_3'),
    'only TLS 1.3, a client of 1.2': { act: peer({ maxVersion: 'TLSv1.2' }, 'PORT_3') },
    'an old client': peer({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }),
    "the server's order of ciphers": peer(
      { ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256' },
      'PORT_4',
    ),
    "the client's order of ciphers": peer(
      { ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256' },
      'PORT_5',
    ),
    'no cipher in common': peer({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' }, 'PORT_5'),
    'a curve': peer({ ecdhCurve: 'secp384r1:X25519' }, 'PORT_6'),
    'no curve in common': peer({ ecdhCurve: 'X25519' }, 'PORT_6'),
    ssl_conf_command: peer({}, 'PORT_7'),
    'ciphers and curves of the hello': get('/', {
      tls: {
        ciphers: 'ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256:CAMELLIA128-SHA256',
        ecdhCurve: 'P-256:X25519:X448:P-521',
      },
    }),
    ALPN: peer({ ALPNProtocols: ['h2', 'http/1.1'] }),
    'ALPN, nothing in common': peer({ ALPNProtocols: ['spdy/1'] }),
  },
});

const VARIABLES = [
  ...['verify', 's_dn', 'i_dn', 's_dn_legacy', 'i_dn_legacy', 'serial', 'fingerprint', 'v_start', 'v_end', 'v_remain'],
  ...['cert', 'raw_cert', 'escaped_cert'],
];

const withCert = (certificate: typeof CLIENT, chain: readonly (typeof CLIENT)[] = []): Connection =>
  get('/', { tls: { cert: [certificate, ...chain].map((one) => one.cert).join(''), key: certificate.key } });
const on2 = (connection: Connection, port: string): Connection => ({ ...connection, port });

compare('TLS: client certificates', {
  files: FILES,
  http: `
    ${NEWEST}
    log_format verify '$status $ssl_client_verify $ssl_client_s_dn';
    access_log access.log verify;
    server { listen 127.0.0.1:%%PORT%% ssl; ${EC_PAIR} ssl_verify_client on; ssl_client_certificate ca.pem; ssl_crl crl.pem;
      return 200 "${VARIABLES.map((name) => `$ssl_client_${name}\\n`).join('')}"; }
    server { listen 127.0.0.1:%%PORT_2%% ssl; ${EC_PAIR} ssl_verify_client optional; ssl_client_certificate ca.pem; return 200 "$ssl_client_verify"; }
    server { listen 127.0.0.1:%%PORT_3%% ssl; ${EC_PAIR} ssl_verify_client optional_no_ca; return 200 "$ssl_client_verify $ssl_client_s_dn"; }
    server { listen 127.0.0.1:%%PORT_4%% ssl; ${EC_PAIR} ssl_verify_client on; ssl_client_certificate ca.pem; error_page 495 496 =200 /why; location / { return 204; } location = /why { return 403 "$ssl_client_verify"; } }
    server { listen 127.0.0.1:%%PORT_5%% ssl; server_name open; ${EC_PAIR} return 200 "open"; }
    server { listen 127.0.0.1:%%PORT_5%% ssl; server_name closed; ${B_PAIR} ssl_verify_client on; ssl_client_certificate ca.pem; return 200 "closed $ssl_client_verify"; }
    server { listen 127.0.0.1:%%PORT_5%% ssl; server_name bare; ssl_verify_client on; ssl_client_certificate ca.pem; return 200 "bare $ssl_client_verify"; }
    server { listen 127.0.0.1:%%PORT_6%% ssl; ${EC_PAIR} ssl_verify_client on; ssl_client_certificate ca.pem; ssl_verify_depth 2; return 200 "$ssl_client_verify"; }
    server { listen 127.0.0.1:%%PORT_7%% ssl; ${EC_PAIR} ssl_verify_client optional; ssl_client_certificate ca.pem; location / { if ($ssl_client_verify != SUCCESS) { return 403; } return 200 "in"; } }
    server { listen 127.0.0.1:%%PORT_8%% ssl; ${EC_PAIR} ssl_verify_client on; ssl_client_certificate ca.pem; ssl_trusted_certificate other.pem; return 200 "$ssl_client_i_dn $ssl_early_data|"; }
    server { listen 127.0.0.1:%%PORT_9%% ssl; ${EC_PAIR} ssl_verify_client on; ssl_client_certificate both.pem; ssl_verify_depth 0; return 200 "$ssl_client_i_dn"; }
    server { listen 127.0.0.1:%%PORT_10%% ssl; ${EC_PAIR} ssl_verify_client optional_no_ca; ssl_client_certificate ca.pem; ssl_crl crl.pem; return 200 "$ssl_client_verify"; }`,
  cases: {
    'a good one': withCert(CLIENT),
    'none where one is wanted': get('/', { tls: {} }),
    'a stranger': withCert(STRANGER),
    'self-signed': withCert(SELF),
    revoked: withCert(REVOKED),
    'none on a connection to be kept': on([request('/', { keep: true })], { tls: {} }),
    'optional: a good one': on2(withCert(CLIENT), 'PORT_2'),
    'optional: none': on2(get('/', { tls: {} }), 'PORT_2'),
    'optional: a stranger': on2(withCert(STRANGER), 'PORT_2'),
    'optional_no_ca: a stranger': on2(withCert(STRANGER), 'PORT_3'),
    'optional_no_ca: self-signed': on2(withCert(SELF), 'PORT_3'),
    'optional_no_ca: none': on2(get('/', { tls: {} }), 'PORT_3'),
    'error_page 496': on2(get('/', { tls: {} }), 'PORT_4'),
    'error_page 495': on2(withCert(STRANGER), 'PORT_4'),
    'a server that asks behind one that does not': get('/', {
      port: 'PORT_5',
      host: 'closed',
      tls: { servername: 'open' },
    }),
    'a server that asks, without a name': get('/', { port: 'PORT_5', host: 'closed', tls: {} }),
    'a server that asks, by its name': get('/', { port: 'PORT_5', host: 'closed', tls: { servername: 'closed' } }),
    'a server that asks, by its name, with one': get('/', {
      port: 'PORT_5',
      host: 'closed',
      tls: { servername: 'closed', cert: CLIENT.cert, key: CLIENT.key },
    }),
    'an open server, by the name of one that asks': get('/', {
      port: 'PORT_5',
      host: 'open',
      tls: { servername: 'closed' },
    }),
    'one certificate between': withCert(BELOW_MIDDLE, [MIDDLE]),
    'one between, which is not sent': withCert(BELOW_MIDDLE),
    'two between': on2(withCert(BELOW_LOWER, [LOWER, MIDDLE]), 'PORT_2'),
    'two between, depth 2': on2(withCert(BELOW_LOWER, [LOWER, MIDDLE]), 'PORT_6'),
    'a server that asks and has no certificate of its own': get('/', {
      port: 'PORT_5',
      host: 'bare',
      tls: { servername: 'bare' },
    }),
    'a CA of ssl_trusted_certificate': on2(withCert(STRANGER), 'PORT_8'),
    'a CA of ssl_client_certificate beside it': on2(withCert(CLIENT), 'PORT_8'),
    'neither CA': on2(withCert(SELF), 'PORT_8'),
    'the second CA of a file': on2(withCert(STRANGER), 'PORT_9'),
    'depth 0, one between': on2(withCert(BELOW_MIDDLE, [MIDDLE]), 'PORT_9'),
    'optional_no_ca and revoked': on2(withCert(REVOKED), 'PORT_10'),
    'verified by if': on2(withCert(CLIENT), 'PORT_7'),
    'not verified by if': on2(get('/', { tls: {} }), 'PORT_7'),
  },
});

/** Bytes of a hello that no server understands. */
const GARBAGE = '\x16\x03\x01\x00\x0a\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99';
const FIRST_OF_A_HELLO = '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03';

compare('TLS: handshakes that fail', {
  files: FILES,
  http: `${NEWEST} server { listen 127.0.0.1:%%PORT%% ssl; ${EC_PAIR} client_header_timeout 300ms; return 204; }`,
  cases: {
    'garbage in a record': {
      act: raw(GARBAGE),
      // OpenSSL's versions differ in which of its functions notices first.
      normalize: [{ from: /error:[0-9A-F]{8}:SSL routines::[a-z ]+/g, to: 'error' }],
    },
    'a first byte of SSLv2': {
      act: raw('\x80\x2e\x01\x00\x02\x00\x15\x00\x00'),
      normalize: [{ from: /error:[0-9A-F]{8}:SSL routines::[a-z ]+/g, to: 'error' }],
    },
    'half a hello, then silence': raw(FIRST_OF_A_HELLO),
    'half a hello, then FIN': on([FIRST_OF_A_HELLO, 20, HALF_CLOSE]),
    'half a hello, then RST': { act: on([FIRST_OF_A_HELLO, 150, RESET_CONNECTION]), settleMs: 50 },
    'gone at once': on([HALF_CLOSE]),
    'nothing at all': raw(''),
  },
});
