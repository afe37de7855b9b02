import { makeCertificate, makeCrl } from '../support/certificates.ts';
import { HANG, KEEP, reply, replyAndClose } from '../support/scripted-backend.ts';
import { get, post } from './client-script.ts';
import { compare } from './compare.ts';

const CA = makeCertificate('Test CA', { isCa: true });
const OTHER_CA = makeCertificate('Other CA', { isCa: true });
const MIDDLE = makeCertificate('Middle', { isCa: true, issuer: CA });
const LOWER = makeCertificate('Lower', { isCa: true, issuer: MIDDLE });
const GOOD = makeCertificate('good.example', { issuer: CA, names: ['good.example', '*.wild.example'] });
const DEEP = makeCertificate('deep.example', { issuer: LOWER, names: ['deep.example'] });
const SELF = makeCertificate('self.example');
const REVOKED = makeCertificate('good.example', { issuer: CA, names: ['good.example'], serial: 'BAD1' });
const OURS = makeCertificate('proxy', { issuer: CA });

const FILES = {
  'ca.pem': CA.cert,
  'other.pem': OTHER_CA.cert,
  'crl.pem': makeCrl(CA, ['BAD1']),
  'ours.pem': OURS.cert,
  'ours.key': OURS.key,
};

const pair = ({ cert, key }: typeof CA) => ({ cert, key });
const TRUST = 'proxy_ssl_verify on; proxy_ssl_trusted_certificate ca.pem;';
/** A backend that knows no TLS shows the hello. */
const HELLO = { backends: 'random bytes' };
const NEWEST = 'proxy_ssl_protocols TLSv1.2 TLSv1.3;';

compare('TLS to upstreams', {
  files: FILES,
  backends: {
    A: { script: replyAndClose('from A'), tls: pair(GOOD) },
    B: { script: replyAndClose('from B'), tls: pair(SELF) },
    REVOKED: { script: replyAndClose('revoked'), tls: pair(REVOKED) },
    DEEP: { script: replyAndClose('deep'), tls: { cert: DEEP.cert + LOWER.cert + MIDDLE.cert, key: DEEP.key } },
    ASKS: {
      script: replyAndClose('asked'),
      tls: { ...pair(GOOD), requestCert: true, rejectUnauthorized: true, ca: CA.cert, maxVersion: 'TLSv1.2' },
    },
    OLD: {
      script: replyAndClose('old'),
      tls: { ...pair(GOOD), maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
    },
    PLAIN: replyAndClose('plain'),
    UNIX: { script: replyAndClose('by unix'), tls: pair(GOOD), unix: true },
    SERVER: { script: [reply('busy', '503 Busy')], tls: pair(GOOD) },
  },
  http: `
    ${NEWEST}
    proxy_ssl_session_reuse off; # nginx resumes a session whatever else a location wants of the peer
    log_format up '$upstream_addr $upstream_status $proxy_host $proxy_port';
    access_log access.log up;
    upstream good.example { server %%A%%; }
    upstream x.wild.example { server %%A%%; }
    upstream self { server %%B%%; }
    upstream two { server %%PLAIN%%; server %%A%%; }
    upstream bad { server %%PLAIN%%; }
    upstream revoked { server %%REVOKED%%; }
    upstream deep.example { server %%DEEP%%; }
    server {
      listen 127.0.0.1:%%PORT%%;
      location /address { proxy_pass https://%%A%%; }
      location /name { proxy_pass https://good.example; }
      location /uri/ { proxy_pass https://good.example/other/; }
      location /verified { proxy_pass https://good.example; ${TRUST} }
      location /verified-wildcard { proxy_pass https://x.wild.example; ${TRUST} }
      location /verified-address { proxy_pass https://%%A%%; ${TRUST} }
      location /verified-other-name { proxy_pass https://%%A%%; ${TRUST} proxy_ssl_name good.example; }
      location /verified-variable-name { proxy_pass https://%%A%%; ${TRUST} proxy_ssl_name $arg_name; }
      location /self { proxy_pass https://self; ${TRUST} }
      location /other-ca { proxy_pass https://good.example; proxy_ssl_verify on; proxy_ssl_trusted_certificate other.pem; }
      location /revoked { proxy_pass https://revoked; ${TRUST} proxy_ssl_name good.example; proxy_ssl_crl crl.pem; }
      location /deep { proxy_pass https://deep.example; ${TRUST} }
      location /deep-enough { proxy_pass https://deep.example; ${TRUST} proxy_ssl_verify_depth 2; }
      location /asks { proxy_pass https://%%ASKS%%; proxy_ssl_certificate ours.pem; proxy_ssl_certificate_key ours.key; }
      location /asks-in-vain { proxy_pass https://%%ASKS%%; }
      location /plain { proxy_pass https://%%PLAIN%%; }
      location /dead { proxy_pass https://127.0.0.1:%%DEAD%%; }
      location /next { proxy_pass https://two; }
      location /no-next { proxy_pass https://bad; }
      location /unix { proxy_pass https://%%UNIX%%; }
      location /unix-uri { proxy_pass https://%%UNIX%%:/there; }
      location /variable { proxy_pass https://$arg_to; }
      location /variable-uri { proxy_pass $arg_scheme://%%A%%/fixed; }
      location /old-protocol { proxy_pass https://%%OLD%%; proxy_ssl_protocols TLSv1.3; }
      location /ciphers { proxy_pass https://%%OLD%%; proxy_ssl_ciphers ECDHE-ECDSA-AES256-GCM-SHA384; }
      location /good-ciphers { proxy_pass https://%%OLD%%; proxy_ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256; }
      location /redirect/ { proxy_pass https://good.example/base/; }
    }`,
  cases: {
    'to an address': get('/address'),
    'to an upstream': get('/name'),
    'with a URI': get('/uri/x?y'),
    'a body': post('/name', 'a body'),
    'a large body': post('/name', 'z'.repeat(300_000)),
    verified: get('/verified'),
    'verified by a wildcard': get('/verified-wildcard'),
    'verified: an address is no name': get('/verified-address'),
    'verified: another name': get('/verified-other-name'),
    'verified: a name by variable': get('/verified-variable-name?name=a.wild.example'),
    'verified: a wrong name by variable': get('/verified-variable-name?name=b.example'),
    'verified: self-signed': get('/self'),
    'verified: another CA': get('/other-ca'),
    'verified: revoked': get('/revoked'),
    'verified: too deep': get('/deep'),
    'verified: deep enough': get('/deep-enough'),
    'a peer that asks for a certificate': get('/asks'),
    'a peer that asks in vain': {
      act: get('/asks-in-vain'),
      normalize: [{ from: /\(SSL: error:[^)]*\)|\(104: Connection reset by peer\)/g, to: '(why)' }],
    },
    'a peer without TLS': {
      act: get('/plain'),
      without: HELLO,
      normalize: [{ from: /SSL: error:[0-9A-F]+:SSL routines::[a-z ]+/g, to: 'error' }],
    },
    'a peer that is not there': get('/dead'),
    'the next peer': {
      act: get('/next'),
      without: HELLO,
      normalize: [{ from: /SSL: error:[0-9A-F]+:SSL routines::[a-z ]+/g, to: 'error' }],
    },
    'a unix socket': get('/unix'),
    'a unix socket with a URI': get('/unix-uri'),
    'an upstream by variable': get('/variable?to=good.example'),
    'an address by variable': get('/variable?to=%%A%%'),
    'a scheme by variable': get('/variable-uri?scheme=https'),
    'no protocol in common': {
      act: get('/old-protocol'),
      normalize: [{ from: /(sslv3|ssl\/tls) alert handshake failure:SSL alert number \d+/g, to: 'alert' }],
    },
    'no cipher in common': {
      act: get('/ciphers'),
      normalize: [{ from: /(sslv3|ssl\/tls) alert handshake failure:SSL alert number \d+/g, to: 'alert' }],
    },
    'a cipher in common': get('/good-ciphers'),
  },
});

compare('TLS to upstreams: kept connections', {
  files: FILES,
  backends: { A: { script: [reply('x'), KEEP], tls: pair(GOOD) } },
  http: `
    ${NEWEST}
    upstream kept { server %%A%%; keepalive 8; }
    server {
      listen 127.0.0.1:%%PORT%%;
      location / { proxy_pass https://kept; }
      location /again { proxy_pass https://kept; }
    }`,
  cases: {
    'one connection for many': {
      act: [get('/'), get('/'), get('/again')],
      showsConnections: true,
    },
  },
});

compare('TLS to upstreams: redirects', {
  files: FILES,
  backends: {
    A: { script: replyAndClose('', '302 Found', { Location: 'https://up.example/base/x' }), tls: pair(GOOD) },
  },
  http: `
    ${NEWEST}
    upstream up.example { server %%A%%; }
    server { listen 127.0.0.1:%%PORT%%; location /here/ { proxy_pass https://up.example/base/; } }`,
  cases: { 'Location is mapped back': get('/here/x') },
});

compare('TLS to upstreams: failing handshakes', {
  files: FILES,
  backends: {
    SILENT: { script: [HANG], onHead: true },
  },
  http: `
    ${NEWEST}
    server {
      listen 127.0.0.1:%%PORT%%;
      proxy_connect_timeout 300ms;
      location /silent { proxy_pass https://%%SILENT%%; }
    }`,
  cases: {
    'a silent peer': { act: get('/silent'), without: HELLO },
  },
});
