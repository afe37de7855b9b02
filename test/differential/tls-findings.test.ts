import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { encryptKey, makeCertificate } from '../support/certificates.ts';
import { EVENKEEL, type Program } from '../support/program.ts';
import { oracleOrSkip } from './compare.ts';
import { runCommand } from './run-command.ts';

const LISTEN = 'listen 127.0.0.1:8079 ssl;';
const PAIR = 'ssl_certificate c.pem; ssl_certificate_key c.key;';
const server = (text: string) => `server { ${text} }`;
const good = (text: string) => server(`${LISTEN} ${PAIR} ${text}`);
const plain = (text: string) => server(`listen 127.0.0.1:8079; location / { ${text} }`);

/** Title -> content of http. Compared: exit code and the first finding, less its place (evenkeel names one where nginx has none). */
const CONFIGURATIONS: Readonly<Record<string, string>> = {
  'a good pair': good(''),
  'no certificate': server(LISTEN),
  'a certificate without a key': server(`${LISTEN} ssl_certificate c.pem;`),
  'a certificate without a key, no TLS': server('listen 127.0.0.1:8079; ssl_certificate c.pem;'),
  'two certificates, one key': server(
    `${LISTEN} ssl_certificate c.pem; ssl_certificate d.pem; ssl_certificate_key c.key;`,
  ),
  'a key alone': server(`${LISTEN} ssl_certificate_key c.key;`),
  'a missing certificate': server(`${LISTEN} ssl_certificate missing.pem; ssl_certificate_key c.key;`),
  'a missing certificate, no TLS': server(
    'listen 127.0.0.1:8079; ssl_certificate missing.pem; ssl_certificate_key c.key;',
  ),
  'a bad certificate': server(`${LISTEN} ssl_certificate bad.pem; ssl_certificate_key c.key;`),
  'an empty certificate': server(`${LISTEN} ssl_certificate empty.pem; ssl_certificate_key c.key;`),
  'a missing key': server(`${LISTEN} ssl_certificate c.pem; ssl_certificate_key missing.key;`),
  "another's key": server(`${LISTEN} ssl_certificate c.pem; ssl_certificate_key d.key;`),
  'key and certificate in one file': server(`${LISTEN} ssl_certificate both.pem; ssl_certificate_key both.pem;`),
  'an encrypted key': server(
    `${LISTEN} ssl_certificate c.pem; ssl_certificate_key locked.key; ssl_password_file passwords;`,
  ),
  'a missing password file': good('ssl_password_file missing;'),
  'certificates of http': `${PAIR} server { ${LISTEN} } server { ${LISTEN} server_name b; }`,
  'bad ciphers': good('ssl_ciphers FOO;'),
  'a bad curve': good('ssl_ecdh_curve foo;'),
  'a curve': good('ssl_ecdh_curve X25519:prime256v1;'),
  'a missing dhparam': good('ssl_dhparam missing.pem;'),
  'a bad dhparam': good('ssl_dhparam bad.pem;'),
  'a bad protocol': good('ssl_protocols TLSv9;'),
  'a protocol twice': good('ssl_protocols TLSv1.2 TLSv1.2;'),
  'old protocols': good('ssl_protocols SSLv2 SSLv3 TLSv1 TLSv1.1;'),
  'a bad cache': good('ssl_session_cache foo;'),
  'a small cache': good('ssl_session_cache shared:a:1k;'),
  'a cache without a size': good('ssl_session_cache shared:a;'),
  'a bad builtin cache': good('ssl_session_cache builtin:x;'),
  'a good cache': good('ssl_session_cache builtin:1000 shared:SSL:10m;'),
  'a zone of two uses': `upstream u { zone z 64k; server 127.0.0.1:1; } ${good('ssl_session_cache shared:z:64k;')}`,
  'a zone of two sizes': `ssl_session_cache shared:z:64k; ${good('ssl_session_cache shared:z:128k;')}`,
  'a ticket key of a wrong size': good('ssl_session_ticket_key c.key;'),
  'a missing ticket key': good('ssl_session_ticket_key missing.key;'),
  'verify without a CA': good('ssl_verify_client on;'),
  'verify: a bad word': good('ssl_verify_client maybe;'),
  'optional_no_ca without a CA': good('ssl_verify_client optional_no_ca;'),
  'a missing CA': good('ssl_verify_client on; ssl_client_certificate missing.pem;'),
  'a bad CA': good('ssl_verify_client on; ssl_client_certificate bad.pem;'),
  'a missing CRL': good('ssl_verify_client on; ssl_client_certificate c.pem; ssl_crl missing.pem;'),
  'a bad CRL': good('ssl_verify_client on; ssl_client_certificate c.pem; ssl_crl bad.pem;'),
  'a missing trusted certificate': good('ssl_trusted_certificate missing.pem;'),
  'a bad depth': good('ssl_verify_depth x;'),
  'an unknown command': good('ssl_conf_command Foo bar;'),
  'reject without a certificate': server(`${LISTEN} ssl_reject_handshake on;`),
  'reject, and another server without a certificate': `server { ${LISTEN} ssl_reject_handshake on; } server { ${LISTEN} server_name b; }`,
  'stapling: no issuer': good('ssl_stapling on;'),
  'stapling: no responder': good('ssl_stapling on; ssl_trusted_certificate c.pem;'),
  'stapling: https': good('ssl_stapling on; ssl_trusted_certificate c.pem; ssl_stapling_responder https://127.0.0.1/;'),
  'stapling: a missing file': good('ssl_stapling on; ssl_stapling_file missing.der;'),
  'stapling: a bad file': good('ssl_stapling on; ssl_stapling_file c.pem;'),
  'stapling: a file that nobody wants': good('ssl_stapling_file missing.der;'),
  'stapling: a good responder': good(
    'ssl_stapling on; ssl_trusted_certificate c.pem; ssl_stapling_responder http://127.0.0.1:1/; ssl_stapling_verify on;',
  ),
  'stapling: a bad flag': good('ssl_stapling maybe;'),
  'stapling: the responder twice': good('ssl_stapling_responder http://a/; ssl_stapling_responder http://b/;'),
  'stapling: in a location': good('location / { ssl_stapling on; }'),
  'ssl_ocsp off': good('ssl_ocsp off;'),
  'a ticket key that is good, twice': good('ssl_session_ticket_key 48.key; ssl_session_ticket_key 80.key;'),
  'early data': good('ssl_early_data off;'),
  'a bad early data': good('ssl_early_data maybe;'),
  'tickets: a bad flag': good('ssl_session_tickets maybe;'),
  'none and a zone': good('ssl_session_cache none shared:a:64k;'),
  off: good('ssl_session_cache off;'),
  'a cache twice': good('ssl_session_cache off; ssl_session_cache none;'),
  'three caches': good('ssl_session_cache builtin shared:a:64k shared:b:64k;'),
  'a zone without a name': good('ssl_session_cache shared::64k;'),
  'a dhparam that is too short': good('ssl_dhparam dh.pem;'),
  'a dhparam that may be short': good('ssl_dhparam dh.pem; ssl_ciphers ALL:@SECLEVEL=1;'),
  'a dhparam': good('ssl_dhparam dh2048.pem;'),
  'a bad password for the key': server(
    `${LISTEN} ssl_certificate c.pem; ssl_certificate_key locked.key; ssl_password_file c.pem;`,
  ),
  'a CA as client and trusted certificate': good(
    'ssl_verify_client on; ssl_client_certificate c.pem; ssl_trusted_certificate d.pem;',
  ),
  commands: good(
    'ssl_conf_command Options PrioritizeChaCha; ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256; ssl_conf_command MinProtocol TLSv1.2;',
  ),
  'a command without a value': good('ssl_conf_command Options;'),
  'a bad option': good('ssl_conf_command Options Foo;'),
  'a bad buffer size': good('ssl_buffer_size x;'),
  'a bad timeout': good('ssl_session_timeout x;'),
  'a flag': good('ssl_prefer_server_ciphers maybe;'),
  twice: good('ssl_ciphers HIGH; ssl_ciphers HIGH;'),
  'in a location': good('location / { ssl_ciphers HIGH; }'),
  'too many arguments': good('ssl_certificate a b;'),
  'the same listen with and without': `${good('')} server { listen 127.0.0.1:8079; server_name b; }`,
  'proxy: verify without a CA': plain('proxy_pass https://127.0.0.1:1; proxy_ssl_verify on;'),
  'proxy: a certificate without a key': plain('proxy_pass https://127.0.0.1:1; proxy_ssl_certificate c.pem;'),
  'proxy: a missing key': plain(
    'proxy_pass https://127.0.0.1:1; proxy_ssl_certificate c.pem; proxy_ssl_certificate_key missing.pem;',
  ),
  'proxy: a missing CA': plain(
    'proxy_pass https://127.0.0.1:1; proxy_ssl_trusted_certificate missing.pem; proxy_ssl_verify on;',
  ),
  'proxy: bad ciphers': plain('proxy_pass https://127.0.0.1:1; proxy_ssl_ciphers FOO;'),
  'proxy: bad ciphers that nobody uses': plain('proxy_pass http://127.0.0.1:1; proxy_ssl_ciphers FOO;'),
  'proxy: a bad protocol': plain('proxy_pass https://127.0.0.1:1; proxy_ssl_protocols FOO;'),
  'proxy: a missing CRL': plain(
    'proxy_pass https://127.0.0.1:1; proxy_ssl_crl missing.pem; proxy_ssl_verify on; proxy_ssl_trusted_certificate c.pem;',
  ),
  'proxy: a bad port': plain('proxy_pass https://127.0.0.1:x;'),
  'proxy: no host': plain('proxy_pass https://;'),
};

const nginx = oracleOrSkip('TLS: findings');

const own = makeCertificate('c');
const other = makeCertificate('d');
const FILES = {
  'c.pem': own.cert,
  'c.key': own.key,
  'd.pem': other.cert,
  'd.key': other.key,
  'bad.pem': 'garbage\n',
  'empty.pem': '',
  'both.pem': own.key + own.cert,
  'locked.key': encryptKey(own.key, 'second'),
  passwords: 'first\nsecond\n',
  '48.key': 'k'.repeat(48),
  '80.key': 'k'.repeat(80),
  'dh.pem': makeDhParameters(1024),
  'dh2048.pem': makeDhParameters(2048),
};

function makeDhParameters(bits: number): string {
  const args = ['dhparam', '-dsaparam', String(bits)];
  return execFileSync('openssl', args, { encoding: 'latin1', stdio: ['ignore', 'pipe', 'ignore'] });
}

async function findings(program: Program, http: string): Promise<string> {
  const conf = `pid nginx.pid; error_log error.log;\nevents {}\nhttp { access_log off; ${http} }\n`;
  const args = ['-t', '-c', 'nginx.conf', '-e', 'error.log'];
  const { code, stderr } = await runCommand(program, { args, files: { ...FILES, 'nginx.conf': conf } });
  const [first = ''] = stderr.split('\n').filter((line) => /^nginx: \[(emerg|warn)\]/.test(line));
  const text = first.replaceAll('%%DIR%%/', '').replace(/ in nginx\.conf:\d+$/, '');
  // OpenSSL's queue also has what it says to itself of each password.
  return `${code} ${text.replace(/(bad decrypt).*$/, '$1')}`;
}

describe.skipIf(nginx === undefined)('TLS: findings', () => {
  it.each(Object.entries(CONFIGURATIONS))('%s', async (_title, http) => {
    if (nginx === undefined) return;
    const expected = await findings(nginx, http);
    expect(await findings(EVENKEEL, http)).toBe(expected);
  });
});
