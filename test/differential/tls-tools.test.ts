import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encryptKey, makeCertificate } from '../support/certificates.ts';
import { within } from '../support/deadline.ts';
import { reply } from '../support/scripted-backend.ts';
import { compare } from './compare.ts';
import type { Stage } from './stage.ts';

const CA = makeCertificate('Test CA', { isCa: true });
const MIDDLE = makeCertificate('Middle CA', { isCa: true, issuer: CA });
const SITE = makeCertificate('site.example', { issuer: MIDDLE, names: ['site.example', '*.wild.example'] });
const RSA = makeCertificate('rsa.example', { kind: 'rsa', issuer: CA, names: ['site.example', 'rsa.example'] });
const CLIENT = makeCertificate('client', { issuer: CA });

function run(program: string, args: readonly string[], input: string, cwd: string): Promise<string> {
  const child = spawn(program, args, { cwd, stdio: ['pipe', 'pipe', 'pipe'] });
  const said = new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    child.stderr.resume();
    child.once('error', reject);
    child.once('close', (code) => resolve(`exit ${code}\n${text}`));
  });
  child.stdin.end(input);
  return within(said, 10_000, `${program} ${args.join(' ')}`);
}

/** curl by TLS; `%%PORT%%` and the like are filled in. Noted: its exit code, what it was told and the certificate. */
const curl =
  (...args: string[]) =>
  async (stage: Stage): Promise<void> => {
    const { prefix } = stage.proxy;
    for (const [file, text] of Object.entries(CLIENT_FILES)) writeFileSync(join(prefix, file), text);
    const names = ['site.example', 'a.wild.example', 'rsa.example', 'strict.example', 'gone.example'];
    const resolve = names.flatMap((name) => ['--resolve', stage.fill(`${name}:%%PORT%%:127.0.0.1`)]);
    const all = [
      '-s',
      '--cacert',
      'client-ca.pem',
      '--max-time',
      '5',
      '-w',
      '|%{http_code} %{ssl_verify_result}',
      ...resolve,
    ];
    stage.note(await run('curl', [...all, ...args.map((arg) => stage.fill(arg))], '', prefix));
  };

const KEPT =
  /^ *(subject|issuer|Protocol|Cipher|New|Reused|Verify return code|ALPN|No ALPN|Peer signing digest|Peer signature type|Server Temp Key| *\d s:| *i:|Acceptable client certificate CA names|No client certificate CA names sent|Early data|OCSP response:|Secure Renegotiation|DONE).*$/;

/** Of tickets that come behind the handshake, in no fixed order with the answer. */
const AFTERWARDS = /^(Protocol|Cipher) *:/;

/** openssl s_client. Noted: its exit code and the lines that say what was agreed upon. `first`: more options of a visit before, whose session this one brings. */
const sClient =
  (args: readonly string[], first: readonly string[] | null = null, port = 'PORT') =>
  async (stage: Stage): Promise<void> => {
    const { prefix } = stage.proxy;
    for (const [file, text] of Object.entries(CLIENT_FILES)) writeFileSync(join(prefix, file), text);
    const connect = [
      's_client',
      '-connect',
      stage.fill(`127.0.0.1:%%${port}%%`),
      '-CAfile',
      'client-ca.pem',
      '-ign_eof',
    ];
    const ask = 'GET /session HTTP/1.1\r\nHost: site.example\r\nConnection: close\r\n\r\n';
    if (first !== null) await run('openssl', [...connect, '-sess_out', 'session.pem', ...first], ask, prefix);
    const last = first === null ? [] : ['-sess_in', 'session.pem'];
    const text = await run('openssl', [...connect, ...last, ...args], ask, prefix);
    const lines = text.split('\n').filter((line, i) => i === 0 || KEPT.test(line) || /^session [r.]/.test(line));
    stage.note(
      [
        ...new Set(
          lines
            .map((line) => line.replace(/^(session [r.]( SUCCESS)?).*$/, '$1').trim())
            .filter((line) => !AFTERWARDS.test(line)),
        ),
      ].join('\n'),
    );
  };

const CLIENT_FILES = { 'client-ca.pem': CA.cert, 'client.pem': CLIENT.cert, 'client.key': CLIENT.key };

/** Of DHE, by openssl. */
function parameters(...args: string[]): string {
  return execFileSync('openssl', args, { encoding: 'latin1', stdio: ['ignore', 'pipe', 'ignore'] });
}

const FILES = {
  'ca.pem': CA.cert,
  'site.pem': SITE.cert + MIDDLE.cert,
  'site.key': SITE.key,
  'bare.pem': SITE.cert,
  'rsa.pem': RSA.cert,
  'rsa.key': RSA.key,
  'locked.pem': SITE.cert,
  'locked.key': encryptKey(SITE.key, 'second'),
  passwords: 'first\nsecond\n',
  'dh.pem': parameters('dhparam', '-dsaparam', '2048'),
  'ffdhe.pem': parameters('genpkey', '-genparam', '-algorithm', 'DH', '-pkeyopt', 'group:ffdhe2048'),
};

const SERVERS = `
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate site.pem;
    ssl_certificate_key site.key;
    ssl_certificate rsa.pem;
    ssl_certificate_key rsa.key;
    server { listen 127.0.0.1:%%PORT%% ssl; server_name site.example; location / { return 200 "site $ssl_protocol $ssl_session_reused"; } location = /session { return 200 "session $ssl_session_reused"; } location /up { proxy_pass http://%%A%%; } }
    server { listen 127.0.0.1:%%PORT%% ssl; server_name *.wild.example; return 200 "wild $ssl_server_name"; }
    server { listen 127.0.0.1:%%PORT%% ssl; server_name strict.example; ssl_certificate bare.pem; ssl_certificate_key site.key; ssl_verify_client on; ssl_client_certificate ca.pem; return 200 "strict $ssl_client_s_dn"; }
    server { listen 127.0.0.1:%%PORT%% ssl; server_name gone.example; ssl_reject_handshake on; }`;

compare('TLS, by curl', {
  files: FILES,
  backends: { A: reply('from A') },
  http: SERVERS,
  cases: {
    'the chain is sent, and trusted': curl('https://site.example:%%PORT%%/'),
    'a wildcard': curl('https://a.wild.example:%%PORT%%/'),
    'a name that the certificate does not have': curl('https://gone.example:%%PORT%%/'),
    'a chain that is not sent': curl('https://strict.example:%%PORT%%/'),
    'not verified, without a certificate': curl('-k', 'https://strict.example:%%PORT%%/'),
    'with a client certificate': curl(
      '-k',
      '--cert',
      'client.pem',
      '--key',
      'client.key',
      'https://strict.example:%%PORT%%/',
    ),
    'TLS 1.2': curl('--tls-max', '1.2', 'https://site.example:%%PORT%%/'),
    'TLS 1.3': curl('--tlsv1.3', 'https://site.example:%%PORT%%/'),
    'TLS 1.1': curl('--tls-max', '1.1', '--tlsv1.1', 'https://site.example:%%PORT%%/'),
    'one cipher': curl(
      '--tls-max',
      '1.2',
      '--ciphers',
      'ECDHE-RSA-AES128-GCM-SHA256',
      'https://site.example:%%PORT%%/',
    ),
    'a body, proxied': curl('-d', 'some=thing', 'https://site.example:%%PORT%%/up'),
    'plain HTTP to the port': curl('http://site.example:%%PORT%%/'),
    'two requests, one connection': curl('https://site.example:%%PORT%%/', 'https://site.example:%%PORT%%/up'),
  },
});

compare('TLS, by openssl s_client', {
  files: FILES,
  backends: { A: reply('from A') },
  http: `${SERVERS}
    server { listen 127.0.0.1:%%PORT_2%% ssl; ssl_session_tickets off; ssl_session_cache shared:BY_ID:1m; location = /session { return 200 "session $ssl_session_reused"; } }
    server { listen 127.0.0.1:%%PORT_3%% ssl; ssl_session_tickets off; ssl_session_cache none; location = /session { return 200 "session $ssl_session_reused"; } }
    server { listen 127.0.0.1:%%PORT_4%% ssl; ssl_session_cache off; location = /session { return 200 "session $ssl_session_reused"; } }
    server { listen 127.0.0.1:%%PORT_5%% ssl; ssl_session_tickets off; ssl_session_cache builtin:100; location = /session { return 200 "session $ssl_session_reused"; } }
    server { listen 127.0.0.1:%%PORT_6%% ssl; ssl_session_cache shared:BY_ID:1m; ssl_session_tickets off; ssl_verify_client on; ssl_client_certificate ca.pem; location = /session { return 200 "session $ssl_session_reused $ssl_client_verify"; } }
    server { listen 127.0.0.1:%%PORT_8%% ssl; ssl_protocols TLSv1.2; ssl_dhparam dh.pem; location = /session { return 200 "session $ssl_session_reused"; } }
    server { listen 127.0.0.1:%%PORT_12%% ssl; ssl_protocols TLSv1.2; ssl_dhparam ffdhe.pem; location = /session { return 200 "session $ssl_session_reused"; } }
    server { listen 127.0.0.1:%%PORT_9%% ssl; ssl_protocols TLSv1.2; location = /session { return 200 "session $ssl_session_reused"; } }
    server { listen 127.0.0.1:%%PORT_10%% ssl; ssl_conf_command Options PrioritizeChaCha; ssl_conf_command MaxProtocol TLSv1.2; ssl_prefer_server_ciphers on; location = /session { return 200 "session $ssl_session_reused"; } }
    server { listen 127.0.0.1:%%PORT_11%% ssl; ssl_certificate locked.pem; ssl_certificate_key locked.key; ssl_password_file passwords; location = /session { return 200 "session $ssl_session_reused"; } }
    server { listen 127.0.0.1:%%PORT_7%% ssl; ssl_buffer_size 1k; location = /session { return 200 "session ${'x'.repeat(3000)}"; } }`,
  cases: {
    'ECDSA, its chain': sClient(['-servername', 'site.example', '-tls1_2', '-cipher', 'ECDSA']),
    RSA: sClient(['-servername', 'site.example', '-tls1_2', '-cipher', 'aRSA']),
    'RSA in TLS 1.3': sClient(['-servername', 'site.example', '-tls1_3', '-sigalgs', 'rsa_pss_rsae_sha256']),
    'ECDSA in TLS 1.3': sClient(['-servername', 'site.example', '-tls1_3', '-sigalgs', 'ecdsa_secp256r1_sha256']),
    'a curve': sClient(['-servername', 'site.example', '-groups', 'P-384']),
    'ALPN http/1.1': sClient(['-alpn', 'http/1.1']),
    'no SNI': sClient(['-noservername']),
    refused: sClient(['-servername', 'gone.example']),
    'CA names for clients': sClient(['-servername', 'strict.example', '-tls1_2']),
    'a client that has a certificate': sClient([
      '-servername',
      'strict.example',
      '-cert',
      'client.pem',
      '-key',
      'client.key',
      '-tls1_2',
    ]),
    'TLS 1.2, a ticket': sClient(['-tls1_2'], ['-tls1_2']),
    'TLS 1.3, a ticket': sClient(['-tls1_3'], ['-tls1_3']),
    'TLS 1.2, no tickets here': sClient(['-tls1_2', '-no_ticket'], ['-tls1_2', '-no_ticket']),
    'TLS 1.2, by id': sClient(['-tls1_2'], ['-tls1_2'], 'PORT_2'),
    'TLS 1.2, by id, a client without tickets': sClient(['-tls1_2', '-no_ticket'], ['-tls1_2', '-no_ticket'], 'PORT_2'),
    'TLS 1.3, by id': sClient(['-tls1_3'], ['-tls1_3'], 'PORT_2'),
    'TLS 1.2, neither': sClient(['-tls1_2'], ['-tls1_2'], 'PORT_3'),
    'TLS 1.3, neither': sClient(['-tls1_3'], ['-tls1_3'], 'PORT_3'),
    'TLS 1.2, cache off, tickets': sClient(['-tls1_2'], ['-tls1_2'], 'PORT_4'),
    'TLS 1.2, cache off, no tickets': sClient(['-tls1_2', '-no_ticket'], ['-tls1_2', '-no_ticket'], 'PORT_4'),
    'TLS 1.2, builtin': sClient(['-tls1_2'], ['-tls1_2'], 'PORT_5'),
    'TLS 1.3, builtin': sClient(['-tls1_3'], ['-tls1_3'], 'PORT_5'),
    'TLS 1.2, a session with another name': sClient(
      ['-tls1_2', '-servername', 'a.wild.example'],
      ['-tls1_2', '-servername', 'site.example'],
    ),
    'TLS 1.2, by id, a client certificate': sClient(
      ['-tls1_2', '-cert', 'client.pem', '-key', 'client.key'],
      ['-tls1_2', '-cert', 'client.pem', '-key', 'client.key'],
      'PORT_6',
    ),
    'TLS 1.3, by id, a client certificate': sClient(
      ['-tls1_3', '-cert', 'client.pem', '-key', 'client.key'],
      ['-tls1_3', '-cert', 'client.pem', '-key', 'client.key'],
      'PORT_6',
    ),
    'small records': sClient([], null, 'PORT_7'),
    'DHE with ssl_dhparam': sClient(['-cipher', 'DHE+aRSA'], null, 'PORT_8'),
    'DHE with ssl_dhparam, a named group': sClient(['-cipher', 'DHE+aRSA'], null, 'PORT_12'),
    'DHE without': sClient(['-cipher', 'DHE+aRSA'], null, 'PORT_9'),
    'ssl_conf_command Options PrioritizeChaCha': sClient(
      ['-cipher', 'ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384'],
      null,
      'PORT_10',
    ),
    ssl_password_file: sClient([], null, 'PORT_11'),
    'no OCSP response': sClient(['-status']),
    'the extended master secret is demanded': sClient(['-tls1_2', '-no_legacy_server_connect']),
  },
});
