import { randomBytes, X509Certificate } from 'node:crypto';
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect as connectTcp, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { type Certificate, makeCertificate, makeCrl } from '../support/certificates.ts';
import { poll } from '../support/deadline.ts';
import { freePort } from '../support/free-port.ts';
import { RawClient } from '../support/raw-client.ts';
import { KEEP, reply, replyAndClose, ScriptedBackend } from '../support/scripted-backend.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';
import { get, untilLogged } from './ask.ts';

const ONE = makeCertificate('one');
const TWO = makeCertificate('two');
const CA = makeCertificate('CA', { isCa: true });
const OTHER_CA = makeCertificate('other CA', { isCa: true });
const CLIENT = makeCertificate('client', { issuer: CA });
const STRANGER = makeCertificate('stranger', { issuer: OTHER_CA });

const serialOf = ({ cert }: Certificate): string => new X509Certificate(cert).serialNumber;

let proxy: RunningProxy | undefined;
let backend: ScriptedBackend | undefined;

afterEach(async () => {
  await proxy?.stop();
  await backend?.stop();
  proxy = backend = undefined;
});

const files = (pair: Certificate) => ({ 'c.pem': pair.cert, 'c.key': pair.key });
const PAIR = 'ssl_certificate c.pem; ssl_certificate_key c.key;';

function conf(server: string, main = '', http = ''): string {
  return `error_log error.log info;\n${main}\nevents {}\nhttp { access_log off; ${http} server { ${server} } }\n`;
}

interface Visit {
  readonly name: string;
  readonly isReused: boolean;
  readonly body: string;
  readonly session: Buffer | undefined;
}

/** One request by TLS. */
function visit(
  port: number,
  options: ConnectionOptions = {},
  request = 'GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n',
) {
  return new Promise<Visit>((resolve, reject) => {
    const socket: TLSSocket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
    let text = '';
    let session: Buffer | undefined;
    socket.on('session', (latest) => {
      session = latest;
    });
    socket.once('secureConnect', () => socket.write(request));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.once('error', reject);
    const seen = { name: '', isReused: false };
    socket.once('secureConnect', () => {
      seen.name = String(socket.getPeerCertificate().subject?.CN ?? '');
      seen.isReused = socket.isSessionReused();
    });
    socket.once('close', () => resolve({ ...seen, body: text, session }));
  });
}

async function certificateOf(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject?.CN));
      socket.destroy();
    });
    socket.once('error', () => resolve('no TLS'));
  });
}

async function untilCertificate(port: number, name: string): Promise<void> {
  const end = performance.now() + 5000;
  while ((await certificateOf(port)) !== name) {
    if (performance.now() > end) throw new Error(`no certificate "${name}"`);
    await sleep(20);
  }
}

describe('reload', () => {
  test('a new certificate is there for the next connection, an open one lives on', async () => {
    const port = await freePort();
    proxy = await startProxy({
      conf: conf(`listen 127.0.0.1:${port} ssl; ${PAIR} return 200 "x";`),
      files: files(ONE),
    });
    const client = await RawClient.connect({ port, tls: {} });
    client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    expect(await client.untilResponses(1)).toBe(true);
    writeFileSync(join(proxy.prefix, 'c.pem'), TWO.cert);
    writeFileSync(join(proxy.prefix, 'c.key'), TWO.key);
    proxy.signal('SIGHUP');
    await untilCertificate(port, 'two');
    client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    expect(await client.untilResponses(2)).toBe(true);
    client.close();
  });

  test('a bad new pair is logged and the old one serves on', async () => {
    const port = await freePort();
    proxy = await startProxy({
      conf: conf(`listen 127.0.0.1:${port} ssl; ${PAIR} return 200 "x";`),
      files: files(ONE),
    });
    writeFileSync(join(proxy.prefix, 'c.pem'), TWO.cert);
    proxy.signal('SIGHUP');
    expect(await untilLogged(proxy, /\[emerg\].*SSL_CTX_use_PrivateKey\(.*key values mismatch/)).toBe(true);
    expect(await certificateOf(port)).toBe('one');
  });

  test('a listening address becomes TLS, and plain again', async () => {
    const port = await freePort();
    const plain = conf(`listen 127.0.0.1:${port}; return 200 "plain";`);
    proxy = await startProxy({ conf: plain, files: files(ONE) });
    expect((await get(port)).body).toBe('plain');
    proxy.rewriteConf(conf(`listen 127.0.0.1:${port} ssl; ${PAIR} return 200 "x";`));
    proxy.signal('SIGHUP');
    await untilCertificate(port, 'one');
    expect((await get(port)).status).toBe(400);
    proxy.rewriteConf(plain);
    proxy.signal('SIGHUP');
    await expect.poll(async () => (await get(port)).body).toBe('plain');
  });

  test('a connection whose certificate was checked against what is no longer trusted is refused', async () => {
    const port = await freePort();
    const server = (ca: string, names = 'server_name a;') =>
      conf(
        `listen 127.0.0.1:${port} ssl default_server; ${names} ${PAIR} ssl_verify_client on; ssl_client_certificate ${ca}; return 200 "in";`,
        '',
        `server { listen 127.0.0.1:${port} ssl; server_name b; ${PAIR} return 200 "b"; }`,
      );
    const more = { 'ca.pem': CA.cert, 'other.pem': OTHER_CA.cert };
    proxy = await startProxy({ conf: server('ca.pem'), files: { ...files(ONE), ...more } });
    const tls = { cert: CLIENT.cert, key: CLIENT.key };
    const client = await RawClient.connect({ port, tls: { ...tls, servername: 'a' } });
    const nameless = await RawClient.connect({ port, tls });
    const ask = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
    client.send(ask);
    expect(await client.untilResponses(1)).toBe(true);
    expect(client.responses()[0]?.startLine).toContain('200');
    nameless.send(ask);
    expect(await nameless.untilResponses(1)).toBe(true);
    proxy.rewriteConf(server('other.pem'));
    proxy.signal('SIGHUP');
    await expect
      .poll(
        async () =>
          (await visit(port, { ...tls, servername: 'a' }, ask.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')))
            .body,
      )
      .toContain('400 Bad');
    client.send(ask);
    expect(await client.untilResponses(2)).toBe(true);
    expect(client.responses()[1]?.startLine).toContain('421');
    nameless.send(ask);
    expect(await nameless.untilResponses(2)).toBe(true);
    expect(nameless.responses().map(({ startLine }) => startLine.slice(9, 12))).toEqual(['200', '421']);
    client.close();
    nameless.close();
  });
});

describe('ssl_certificate_watch', () => {
  const watched = (port: number, more = '') =>
    conf(
      `listen 127.0.0.1:${port} ssl; ${PAIR} ssl_certificate_watch on; location / { return 200 "$pid"; } ${more}`,
      'worker_processes 4;',
    );

  /** Certificates that many connections see: more than one worker answers them. */
  async function seen(port: number): Promise<string[]> {
    return [...new Set(await Promise.all(Array.from({ length: 40 }, () => certificateOf(port))))];
  }

  test('a new pair is there for all workers without a reload; open connections and sessions of the cache live on', async () => {
    const port = await freePort();
    proxy = await startProxy({ conf: watched(port), files: files(ONE) });
    const client = await RawClient.connect({ port, tls: {} });
    writeFileSync(join(proxy.prefix, 'c.pem'), TWO.cert);
    writeFileSync(join(proxy.prefix, 'c.key'), TWO.key);
    await untilCertificate(port, 'two');
    expect(await untilLogged(proxy, /\[notice\].*certificates renewed: ".*c\.pem", ".*c\.key"/)).toBe(true);
    expect(await seen(port)).toEqual(['two']);
    client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    expect(await client.untilResponses(1)).toBe(true);
    client.close();
    expect(proxy.errorLog()).not.toContain('reconfiguring');
    expect(proxy.errorLog()).not.toMatch(/\[(error|alert|crit|emerg)\]/);
  });

  test('a bad pair is logged, once, and the old one serves on, until it is whole', async () => {
    const port = await freePort();
    const other = `} server { listen 127.0.0.1:${port} ssl; server_name b; ssl_certificate d.pem; ssl_certificate_key d.key; `;
    proxy = await startProxy({
      conf: watched(port, other).replace('ssl_certificate d.pem;', 'ssl_certificate d.pem; ssl_certificate_watch on;'),
      files: { ...files(ONE), 'd.pem': ONE.cert, 'd.key': ONE.key },
    });
    writeFileSync(join(proxy.prefix, 'c.pem'), TWO.cert);
    const mismatch =
      /\[error\].*not renewed, the old ones serve on: SSL_CTX_use_PrivateKey\(".*c\.key"\) failed.*mismatch/g;
    expect(await untilLogged(proxy, mismatch)).toBe(true);
    expect(await seen(port)).toEqual(['one']);
    // Another server's certificate is renewed all the same.
    writeFileSync(join(proxy.prefix, 'd.pem'), TWO.cert);
    writeFileSync(join(proxy.prefix, 'd.key'), TWO.key);
    await expect.poll(async () => (await visit(port, { servername: 'b' })).name, { timeout: 5000 }).toBe('two');
    expect(await seen(port)).toEqual(['one']);
    expect(proxy.errorLog().match(mismatch)).toHaveLength(1);
    writeFileSync(join(proxy.prefix, 'c.key'), TWO.key);
    await untilCertificate(port, 'two');
    // It is gone for a moment, and comes back.
    rmSync(join(proxy.prefix, 'c.pem'));
    expect(await untilLogged(proxy, /\[error\].*open\(\) ".*c\.pem" failed \(2: No such file or directory\)/)).toBe(
      true,
    );
    expect(await seen(port)).toEqual(['two']);
    writeFileSync(join(proxy.prefix, 'c.key'), ONE.key);
    writeFileSync(join(proxy.prefix, 'c.pem'), ONE.cert);
    await untilCertificate(port, 'one');
  });

  test("links that are exchanged, as certbot's and those of Kubernetes' ..data are", async () => {
    const port = await freePort();
    proxy = await startProxy({
      conf: (prefix) => {
        for (const [name, pair] of [
          ['v1', ONE],
          ['v2', TWO],
        ] as const) {
          mkdirSync(join(prefix, name));
          writeFileSync(join(prefix, name, 'tls.crt'), pair.cert);
          writeFileSync(join(prefix, name, 'tls.key'), pair.key);
        }
        symlinkSync('v1', join(prefix, '..data'));
        for (const name of ['tls.crt', 'tls.key']) symlinkSync(`..data/${name}`, join(prefix, name));
        return watched(port).replace('c.pem', 'tls.crt').replace('c.key', 'tls.key');
      },
    });
    expect(await certificateOf(port)).toBe('one');
    symlinkSync('v2', join(proxy.prefix, '..tmp'));
    renameSync(join(proxy.prefix, '..tmp'), join(proxy.prefix, '..data'));
    await untilCertificate(port, 'two');
    expect(await seen(port)).toEqual(['two']);
  });

  test('a worker that starts later has the renewed one; what changed while the program started is seen', async () => {
    const port = await freePort();
    proxy = await startProxy({ conf: watched(port), files: files(ONE) });
    writeFileSync(join(proxy.prefix, 'c.pem'), TWO.cert);
    writeFileSync(join(proxy.prefix, 'c.key'), TWO.key);
    await untilCertificate(port, 'two');
    for (let i = 0; i < 4; i++) {
      const before = proxy.errorLog().match(/start worker process \d/g)?.length ?? 0;
      process.kill(Number(/\d+$/.exec((await visit(port)).body)?.[0]), 'SIGKILL');
      const running = proxy;
      await expect
        .poll(() => running.errorLog().match(/start worker process \d/g)?.length, { timeout: 5000 })
        .toBeGreaterThan(before);
    }
    expect(await seen(port)).toEqual(['two']);
  });

  test('off: nothing is looked at', async () => {
    const port = await freePort();
    proxy = await startProxy({ conf: watched(port).replace('watch on', 'watch off'), files: files(ONE) });
    writeFileSync(join(proxy.prefix, 'c.pem'), TWO.cert);
    writeFileSync(join(proxy.prefix, 'c.key'), TWO.key);
    await sleep(2500);
    expect(await seen(port)).toEqual(['one']);
  });
});

describe('sessions', () => {
  /** Visits of one returning client, several at once, so that more than one worker gets some. */
  async function comeBack(port: number, options: ConnectionOptions): Promise<{ resumed: number; workers: number }> {
    const pids = new Set<string>();
    let resumed = 0;
    for (let i = 0; i < 24; i++) {
      const visits = await Promise.all([1, 2, 3].map(() => visit(port, options)));
      for (const { isReused, body } of visits) {
        if (isReused) resumed++;
        pids.add(/\d+$/.exec(body)?.[0] ?? '');
      }
    }
    return { resumed, workers: pids.size };
  }

  const BY_ID = 'ssl_session_tickets off; ssl_session_cache shared:TLS:1m;';

  test.each([
    ['TLSv1.2', 'tickets', ''],
    ['TLSv1.3', 'tickets', ''],
    ['TLSv1.2', 'session id', BY_ID],
    ['TLSv1.3', 'session id', BY_ID],
    ['TLSv1.2', 'session id, builtin too', BY_ID.replace('shared', 'builtin shared')],
  ] as const)(
    '%s, %s: every returning client resumes, whichever of four workers answers',
    async (version, _by, more) => {
      const port = await freePort();
      const server = `listen 127.0.0.1:${port} ssl; ${PAIR} ${more} location / { return 200 "$pid"; }`;
      proxy = await startProxy({ conf: conf(server, 'worker_processes 4;'), files: files(ONE) });
      const { session } = await visit(port, { maxVersion: version });
      expect(session).toBeDefined();
      const { resumed, workers } = await comeBack(port, { maxVersion: version, ...(session && { session }) });
      expect(resumed).toBe(72);
      expect(workers).toBeGreaterThan(1);
    },
  );

  test.each([
    ['tickets', ''],
    ['session id', BY_ID],
  ])('TLSv1.3, %s: a client that uses each one once gets another one each time', async (_by, more) => {
    const port = await freePort();
    const server = `listen 127.0.0.1:${port} ssl; ${PAIR} ${more} location / { return 200 "$pid"; }`;
    proxy = await startProxy({ conf: conf(server, 'worker_processes 4;'), files: files(ONE) });
    let { session } = await visit(port);
    for (let i = 0; i < 30; i++) {
      const next = await visit(port, session && { session });
      expect(next.isReused).toBe(true);
      expect(next.session).toBeDefined();
      expect(next.session).not.toEqual(session);
      session = next.session;
    }
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    '%s: the first return, at once and to any worker, resumes by its id',
    async (version) => {
      const port = await freePort();
      const server = `listen 127.0.0.1:${port} ssl; ${PAIR} ${BY_ID} location / { return 200 "$pid"; }`;
      proxy = await startProxy({ conf: conf(server, 'worker_processes 4;'), files: files(ONE) });
      for (let i = 0; i < 30; i++) {
        const { session } = await visit(port, { maxVersion: version });
        expect((await visit(port, { maxVersion: version, ...(session && { session }) })).isReused).toBe(true);
      }
    },
  );

  test('sessions by id outlive reloads and workers; their secrets are in no log', async () => {
    const port = await freePort();
    const server = `listen 127.0.0.1:${port} ssl; ${PAIR} ${BY_ID} location / { return 200 "$pid"; }`;
    proxy = await startProxy({ conf: conf(server, 'worker_processes 2;'), files: files(ONE) });
    const first = await visit(port, { maxVersion: 'TLSv1.2' });
    const again = { maxVersion: 'TLSv1.2', ...(first.session && { session: first.session }) } as const;
    proxy.rewriteConf(conf(server.replace('200 "', '200 "new '), 'worker_processes 2;'));
    proxy.signal('SIGHUP');
    await expect.poll(async () => (await visit(port, again)).body).toContain('new');
    expect((await visit(port, again)).isReused).toBe(true);
    process.kill(Number(/\d+$/.exec(first.body)?.[0]), 'SIGKILL');
    expect(await untilLogged(proxy, /exited on signal 9/)).toBe(true);
    expect(await comeBack(port, again)).toMatchObject({ resumed: 72 });
    const log = proxy.errorLog();
    for (const form of ['base64', 'hex', 'latin1'] as const) {
      expect(log).not.toContain(first.session?.subarray(20, 60).toString(form));
    }
  });

  test.each([
    ['ssl_session_tickets off;', ''],
    ['ssl_session_tickets off; ssl_session_cache none;', ''],
    ['ssl_session_tickets off; ssl_session_cache off;', ''],
    ['ssl_verify_client optional; ssl_client_certificate ca.pem;', ' that verifies clients'],
  ])('%s: no session is resumed%s', async (directives) => {
    const port = await freePort();
    const server = `listen 127.0.0.1:${port} ssl; ${PAIR} ${directives} return 200 "x";`;
    proxy = await startProxy({ conf: conf(server), files: { ...files(ONE), 'ca.pem': CA.cert } });
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const { session } = await visit(port, { maxVersion });
      const again = await visit(port, { maxVersion, ...(session && { session }) });
      expect(again.isReused).toBe(false);
    }
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('%s: a session is over after ssl_session_timeout', async (maxVersion) => {
    const port = await freePort();
    const server = `listen 127.0.0.1:${port} ssl; ${PAIR} ssl_session_tickets off; ssl_session_cache shared:S:32k; ssl_session_timeout 5s; return 200 "x";`;
    proxy = await startProxy({ conf: conf(server), files: files(ONE) });
    const { session } = await visit(port, { maxVersion });
    const again = { maxVersion, ...(session && { session }) };
    expect((await visit(port, again)).isReused).toBe(true);
    // Whole seconds, in TLS 1.3 of the client's clock.
    await expect.poll(async () => (await visit(port, again)).isReused, { timeout: 30_000, interval: 500 }).toBe(false);
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    '%s: a verified client comes back verified; one that was not is verified anew',
    async (maxVersion) => {
      const port = await freePort();
      const server = (more: string) =>
        conf(
          `listen 127.0.0.1:${port} ssl; ${PAIR} ssl_session_cache shared:S:1m; ssl_verify_client optional; ssl_client_certificate ca.pem; ${more} return 200 "$ssl_client_verify $ssl_client_s_dn;$ssl_session_reused";`,
        );
      const crl = makeCrl(CA, [serialOf(CLIENT)]);
      proxy = await startProxy({ conf: server(''), files: { ...files(ONE), 'ca.pem': CA.cert, 'crl.pem': crl } });
      const good = { maxVersion, cert: CLIENT.cert, key: CLIENT.key };
      const { session } = await visit(port, good);
      const again = { ...good, ...(session && { session }) };
      expect((await visit(port, again)).body).toContain('SUCCESS CN=client;r');
      const stranger = { maxVersion, cert: STRANGER.cert, key: STRANGER.key };
      const refused = await visit(port, stranger);
      expect(refused.body).toContain('400 Bad');
      const back = await visit(port, { ...stranger, ...(refused.session && { session: refused.session }) });
      expect(back).toMatchObject({ isReused: false, body: expect.stringContaining('400 Bad') });
      // What is revoked now is not let in by what was true before.
      proxy.rewriteConf(server('ssl_crl crl.pem;'));
      proxy.signal('SIGHUP');
      await expect.poll(async () => (await visit(port, again)).body).toContain('400 Bad');
    },
  );

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    '%s: ticket keys of files: the first makes tickets, the others are still understood',
    async (maxVersion) => {
      const port = await freePort();
      const server = (...keys: string[]) =>
        conf(
          `listen 127.0.0.1:${port} ssl; ${PAIR} ${keys.map((key) => `ssl_session_ticket_key ${key}.ticket;`).join(' ')} return 200 "${keys}";`,
          'worker_processes 4;',
        );
      const keyFiles = Object.fromEntries(
        ['a', 'b', 'c'].map((name) => [`${name}.ticket`, randomBytes(name === 'b' ? 40 : 24).toString('hex')]),
      );
      proxy = await startProxy({ conf: server('a'), files: { ...files(ONE), ...keyFiles } });
      const running = proxy;
      const reload = async (...keys: string[]): Promise<void> => {
        running.rewriteConf(server(...keys));
        running.signal('SIGHUP');
        await expect.poll(async () => (await visit(port)).body).toContain(`\r\n\r\n${keys}`);
      };
      const made = await visit(port, { maxVersion });
      const ofA = { maxVersion, ...(made.session && { session: made.session }) };
      await reload('b', 'a');
      expect(await comeBack(port, ofA)).toMatchObject({ resumed: 72 });
      const renewed = await visit(port, ofA);
      await reload('c', 'b');
      expect((await visit(port, ofA)).isReused).toBe(false);
      // Node's client does not tell of a ticket that comes with a resumed session of TLS 1.2.
      if (maxVersion === 'TLSv1.2') return;
      const ofB = { maxVersion, ...(renewed.session && { session: renewed.session }) };
      expect(await comeBack(port, ofB)).toMatchObject({ resumed: 72 });
    },
  );

  test('in one process, with HTTP/2, and with new certificates in between', async () => {
    const port = await freePort();
    const server = `listen 127.0.0.1:${port} ssl; http2 on; ${PAIR} ${BY_ID} ssl_certificate_watch on; return 200 "x";`;
    proxy = await startProxy({ conf: conf(server, 'master_process off;'), files: files(ONE) });
    const h2 = (session?: Buffer) =>
      new Promise<{ isReused: boolean; protocol: unknown; session: Buffer | undefined }>((resolve, reject) => {
        const socket = connect({
          port,
          host: '127.0.0.1',
          rejectUnauthorized: false,
          ALPNProtocols: ['h2'],
          ...(session && { session }),
        });
        socket.once('error', reject);
        // TLS 1.3: it comes behind the handshake.
        socket.once('session', (made) => {
          resolve({ isReused: socket.isSessionReused(), protocol: socket.alpnProtocol, session: made });
          socket.destroy();
        });
      });
    const first = await h2();
    expect(first).toMatchObject({ isReused: false, protocol: 'h2' });
    expect(await h2(first.session)).toMatchObject({ isReused: true, protocol: 'h2' });
    writeFileSync(join(proxy.prefix, 'c.pem'), TWO.cert);
    writeFileSync(join(proxy.prefix, 'c.key'), TWO.key);
    await untilCertificate(port, 'two');
    // A session speaks for the certificate that it was made with.
    expect((await h2(first.session)).isReused).toBe(false);
  });

  test('a session of one server is none of another', async () => {
    const port = await freePort();
    const server = `listen 127.0.0.1:${port} ssl; server_name a; ${PAIR} return 200 "a";`;
    const other = `server { listen 127.0.0.1:${port} ssl; server_name b; ssl_certificate d.pem; ssl_certificate_key d.key; return 200 "b"; }`;
    proxy = await startProxy({
      conf: conf(server, '', other),
      files: { ...files(ONE), 'd.pem': TWO.cert, 'd.key': TWO.key },
    });
    const { session } = await visit(port, { servername: 'a' });
    expect((await visit(port, { servername: 'a', ...(session && { session }) })).isReused).toBe(true);
    expect((await visit(port, { servername: 'b', ...(session && { session }) })).isReused).toBe(false);
  });
});

test.runIf(process.geteuid?.() === 0)(
  'workers without the right to read the key serve all the same, over a reload too',
  async () => {
    const port = await freePort();
    const text = conf(
      `listen 127.0.0.1:${port} ssl; ${PAIR.replaceAll(' c.', ' secret/c.')} return 200 "x";`,
      'user nobody nogroup;',
    );
    const secret = { 'secret/c.pem': ONE.cert, 'secret/c.key': ONE.key };
    proxy = await startProxy({ conf: text, files: secret });
    mkdirSync(join(proxy.prefix, 'secret'), { recursive: true });
    chmodSync(join(proxy.prefix, 'secret'), 0o700);
    expect(await certificateOf(port)).toBe('one');
    writeFileSync(join(proxy.prefix, 'secret/c.pem'), TWO.cert);
    writeFileSync(join(proxy.prefix, 'secret/c.key'), TWO.key);
    proxy.signal('SIGHUP');
    await untilCertificate(port, 'two');
  },
);

/** Lengths of the records with data that a server sends for one request. */
async function recordLengths(port: number): Promise<number[]> {
  const parts: Buffer[] = [];
  const relay = createServer((client) => {
    const server = connectTcp(port, '127.0.0.1');
    server.on('data', (chunk: Buffer) => parts.push(chunk));
    client.pipe(server).pipe(client);
    client.on('error', () => server.destroy());
    server.on('error', () => client.destroy());
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  await visit((relay.address() as AddressInfo).port, { maxVersion: 'TLSv1.2' });
  relay.close();
  const bytes = Buffer.concat(parts);
  const lengths: number[] = [];
  for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) {
    if (bytes[at] === 0x17) lengths.push(bytes.readUInt16BE(at + 3));
  }
  return lengths;
}

test.each([
  ['1k', 1024],
  ['4k', 4096],
  ['100', 512],
])('ssl_buffer_size %s: no record is longer', async (size, most) => {
  const port = await freePort();
  const server = `listen 127.0.0.1:${port} ssl; ${PAIR} ssl_buffer_size ${size}; location / { root .; } `;
  proxy = await startProxy({ conf: conf(server), files: { ...files(ONE), 'index.html': 'x'.repeat(20_000) } });
  const lengths = await recordLengths(port);
  // Behind its head a record of TLS 1.2 has a nonce of 8 bytes and a tag of 16.
  expect(Math.max(...lengths)).toBe(most + 24);
});

test('TLS on a unix socket', async () => {
  proxy = await startProxy({
    conf: (prefix) => conf(`listen unix:${prefix}/s.sock ssl; ${PAIR} return 200 "$scheme $remote_addr";`),
    files: files(ONE),
  });
  const client = await RawClient.connect({ path: join(proxy.prefix, 's.sock'), tls: {} });
  client.send('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
  expect(await client.untilReceived('https unix:')).toBe(true);
  client.close();
});

test('a PROXY protocol header comes before the handshake', async () => {
  const port = await freePort();
  const server = `listen 127.0.0.1:${port} ssl proxy_protocol; ${PAIR} return 200 "$scheme $proxy_protocol_addr";`;
  proxy = await startProxy({ conf: conf(server), files: files(ONE) });
  const raw = await RawClient.connect({ port });
  raw.send('PROXY TCP4 192.0.2.1 192.0.2.2 1000 443\r\n');
  raw.socket.removeAllListeners('data');
  const socket = connect({ socket: raw.socket, rejectUnauthorized: false });
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.write('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
  expect(await poll(() => (text.includes('https 192.0.2.1') ? true : undefined), 5000)).toBe(true);
  socket.destroy();
});

describe('to upstreams', () => {
  test('SNI, and sessions that are resumed only for the same name', async () => {
    const port = await freePort();
    const seen: { name: string; isReused: boolean }[] = [];
    const tls = { cert: ONE.cert, key: ONE.key };
    backend = await ScriptedBackend.start({ script: replyAndClose('x'), tls });
    backend.onSecure((socket) => seen.push({ name: String(socket.servername), isReused: socket.isSessionReused() }));
    const to = `https://127.0.0.1:${backend.port}`;
    const server = `listen 127.0.0.1:${port};
      proxy_ssl_server_name on; proxy_ssl_name $arg_name;
      location / { proxy_pass ${to}; }
      location /none { proxy_pass ${to}; proxy_ssl_server_name off; }
      location /full { proxy_pass ${to}; proxy_ssl_session_reuse off; }`;
    proxy = await startProxy({ conf: conf(server) });
    for (const path of ['/?name=a', '/?name=a', '/?name=b', '/?name=10.0.0.1', '/none?name=a', '/full?name=a']) {
      expect((await get(port, path)).status).toBe(200);
    }
    expect(seen).toEqual([
      { name: 'a', isReused: false },
      { name: 'a', isReused: true },
      { name: 'b', isReused: false },
      { name: 'false', isReused: false },
      { name: 'false', isReused: true },
      { name: 'a', isReused: false },
    ]);
  });

  test('a kept connection is used by those who want the same of it, and by nobody else', async () => {
    const port = await freePort();
    const tls = { cert: ONE.cert, key: ONE.key };
    backend = await ScriptedBackend.start({ script: [reply('x'), KEEP], tls });
    const server = `listen 127.0.0.1:${port};
      proxy_ssl_server_name on;
      location /a { proxy_pass https://kept; proxy_ssl_name a; }
      location /also-a { proxy_pass https://kept; proxy_ssl_name a; }
      location /b { proxy_pass https://kept; proxy_ssl_name b; }
      location /verified { proxy_pass https://kept; proxy_ssl_name a; proxy_ssl_verify on; proxy_ssl_trusted_certificate ca.pem; }`;
    const upstream = `upstream kept { server 127.0.0.1:${backend.port}; keepalive 8; }`;
    proxy = await startProxy({ conf: conf(server, '', upstream), files: { 'ca.pem': CA.cert } });
    for (const path of ['/a', '/also-a', '/b', '/a', '/b']) expect((await get(port, path)).status).toBe(200);
    expect(backend.requests.map((request) => request.connection)).toEqual([1, 1, 2, 1, 2]);
    expect((await get(port, '/verified')).status).toBe(502);
    expect(backend.requests).toHaveLength(5);
  });
});
