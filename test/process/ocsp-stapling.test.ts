import { execFile } from 'node:child_process';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { type Certificate, makeCertificate } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { type OcspKnowledge, OpensslResponder, ocspAnswer } from '../support/ocsp-responder.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';
import { untilLogged } from './ask.ts';

const CA = makeCertificate('CA', { isCa: true });
const OTHER_CA = makeCertificate('other CA', { isCa: true });
const NEIGHBOUR = makeCertificate('neighbour', { issuer: CA, serial: '77' });

let proxy: RunningProxy | undefined;
let responder: OpensslResponder | undefined;
let evil: Server | undefined;

afterEach(async () => {
  await proxy?.stop();
  await responder?.stop();
  evil?.closeAllConnections();
  evil?.close();
  proxy = responder = evil = undefined;
});

const PAIR = 'ssl_certificate c.pem; ssl_certificate_key c.key;';
const chain = (site: Certificate) => ({ 'c.pem': site.cert + CA.cert, 'c.key': site.key });

async function start(server: string, files: Record<string, string>, main = ''): Promise<number> {
  const port = await freePort();
  proxy = await startProxy({
    conf: `error_log error.log info;\n${main}\nevents {}\nhttp { access_log off; server { listen 127.0.0.1:${port} ssl; ${server} location / { return 200 "$pid"; } } }\n`,
    files,
  });
  return port;
}

/** The stapled response that a client gets; null: none. */
function stapleOf(port: number, options: ConnectionOptions = {}): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, requestOCSP: true, ...options });
    let response: Buffer | null = null;
    socket.on('OCSPResponse', (bytes: Buffer | null) => {
      response = bytes;
    });
    socket.once('secureConnect', () => {
      socket.destroy();
      resolve(response);
    });
    socket.once('error', reject);
  });
}

/** What openssl says of the stapled response. */
function statusOf(port: number): Promise<string> {
  return new Promise((resolve) => {
    const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-status'];
    const child = execFile('openssl', args, (_error, stdout) => resolve(stdout));
    child.stdin?.end();
  });
}

/** A responder that does what it wants, behind a path that also a certificate can name. */
async function startEvil(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  evil = server;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/ocsp`;
}

/** The request that nginx, and we, send by GET. */
const requestIn = (url = ''): Buffer => Buffer.from(decodeURIComponent(url.slice(url.lastIndexOf('/') + 1)), 'base64');

const sent =
  (knowledge: OcspKnowledge): RequestListener =>
  (req, res) =>
    res
      .setHeader('content-type', 'application/ocsp-response')
      .end(ocspAnswer(knowledge, requestIn(req.url), ['-ndays', '1']));

describe("with openssl's responder", () => {
  test('the certificate names it: all workers show the response, those that start later too', async () => {
    const ocspPort = await freePort();
    const site = makeCertificate('site', { issuer: CA, serial: '55', ocsp: `http://127.0.0.1:${ocspPort}` });
    responder = await OpensslResponder.start({ ca: CA, signer: CA, good: [site] }, ocspPort);
    const port = await start(`${PAIR} ssl_stapling on; ssl_stapling_verify on;`, chain(site), 'worker_processes 4;');
    await expect.poll(() => stapleOf(port), { timeout: 5000 }).not.toBeNull();
    const status = await statusOf(port);
    expect(status).toContain('OCSP Response Status: successful (0x0)');
    expect(status).toContain('Cert Status: good');
    const running = proxy;
    const pid = Number(/start worker process (\d+)/.exec(running?.errorLog() ?? '')?.[1]);
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => running?.errorLog().match(/start worker process/g)?.length, { timeout: 5000 }).toBe(6);
    // It is no longer asked.
    await responder.stop();
    for (let i = 0; i < 5; i++) {
      const staples = await Promise.all(Array.from({ length: 8 }, () => stapleOf(port)));
      expect(staples.every((one) => one !== null)).toBe(true);
    }
    // A client that does not ask for it gets none.
    expect(await stapleOf(port, { requestOCSP: false })).toBeNull();
    expect(proxy?.errorLog()).not.toMatch(/\[(warn|error|alert|crit|emerg)\].*certificate status/);
  });

  test('ssl_stapling_responder, the issuer in ssl_trusted_certificate, sessions and a reload', async () => {
    const site = makeCertificate('site', { issuer: CA, serial: '56' });
    responder = await OpensslResponder.start({ ca: CA, signer: CA, good: [site] });
    const port = await start(
      `${PAIR} ssl_stapling on; ssl_stapling_verify on; ssl_trusted_certificate ca.pem; ssl_stapling_responder http://localhost:${responder.port}/;`,
      { 'c.pem': site.cert, 'c.key': site.key, 'ca.pem': CA.cert },
    );
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      await expect.poll(() => stapleOf(port, { maxVersion }), { timeout: 5000 }).not.toBeNull();
    }
    await responder.stop();
    proxy?.signal('SIGHUP');
    expect(await untilLogged(proxy as RunningProxy, /reconfiguring/)).toBe(true);
    for (let i = 0; i < 20; i++) expect(await stapleOf(port)).not.toBeNull();
  });

  test('RSA and ECDSA side by side: each client gets the response about the certificate that it gets', async () => {
    const ec = makeCertificate('ec', { issuer: CA, serial: '60' });
    const rsa = makeCertificate('rsa', { issuer: CA, serial: '61', kind: 'rsa' });
    responder = await OpensslResponder.start({ ca: CA, signer: CA, good: [ec, rsa] });
    const port = await start(
      `ssl_certificate r.pem; ssl_certificate_key r.key; ${PAIR} ssl_stapling on; ssl_stapling_responder http://127.0.0.1:${responder.port}; ssl_trusted_certificate ca.pem;`,
      { ...chain(ec), 'r.pem': rsa.cert, 'r.key': rsa.key, 'ca.pem': CA.cert },
    );
    // A response holds the serial number that it is about.
    const serial = (number: number) => Buffer.from([2, 1, number]);
    const clients: [ConnectionOptions, number][] = [
      [{}, 0x60],
      [{ sigalgs: 'rsa_pss_rsae_sha256' }, 0x61],
      [{ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' }, 0x61],
      [{ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }, 0x60],
    ];
    for (const [options, number] of clients) {
      await expect
        .poll(async () => (await stapleOf(port, options))?.includes(serial(number)), { timeout: 5000 })
        .toBe(true);
    }
    // Which one such a client gets is OpenSSL's choice: no response rather than the wrong one.
    expect(await stapleOf(port, { maxVersion: 'TLSv1.2' })).toBeNull();
  });
});

test('ssl_stapling_file', async () => {
  const site = makeCertificate('site', { issuer: CA, serial: '57' });
  const port = await start(`${PAIR} ssl_stapling on; ssl_stapling_file s.der;`, {
    ...chain(site),
    's.der': '0\x03\n\x01\x06',
  });
  expect((await stapleOf(port))?.toString('hex')).toBe('30030a0106');
});

describe('responders that fail are a warning, and handshakes go on', () => {
  const site = makeCertificate('site', { issuer: CA, serial: '58' });
  const good = { ca: CA, signer: CA, good: [site] };

  test.each<[string, RequestListener | null, RegExp]>([
    ['nobody listens', null, /ECONNREFUSED/],
    ['it hangs up', (req) => req.socket.destroy(), /socket hang up/],
    ['an error status', (_req, res) => void res.writeHead(503).end('x'), /OCSP responder sent status 503/],
    [
      'a page',
      (_req, res) => void res.setHeader('content-type', 'text/html').end('<p>'),
      /invalid "Content-Type" header: "text\/html"/,
    ],
    [
      'garbage',
      (_req, res) => void res.setHeader('content-type', 'application/ocsp-response').end('garbage'),
      /OCSP response is malformed/,
    ],
    [
      'nothing',
      (_req, res) => void res.setHeader('content-type', 'application/ocsp-response').end(),
      /OCSP response is malformed/,
    ],
    [
      'without an end',
      (_req, res) => {
        res.setHeader('content-type', 'application/ocsp-response');
        const more = setInterval(() => res.write(Buffer.alloc(50_000, 0x30)), 5);
        res.on('close', () => clearInterval(more));
      },
      /OCSP responder sent more than 65536 bytes/,
    ],
    [
      'about another certificate',
      sent({ ...good, good: [NEIGHBOUR] }),
      /certificate status "unknown" in the OCSP response/,
    ],
    ['revoked', sent({ ...good, good: [], revoked: [site] }), /certificate status "revoked" in the OCSP response/],
    ["another CA's", sent({ ...good, signer: OTHER_CA }), /signer of the OCSP response is not the issuer/],
    [
      'it says that it will not',
      (_req, res) =>
        void res.setHeader('content-type', 'application/ocsp-response').end(Buffer.from('30030a0106', 'hex')),
      /not successful \(6: unauthorized\)/,
    ],
  ])('%s', async (_what, answer, warning) => {
    const url = answer === null ? `http://127.0.0.1:${await freePort()}/` : await startEvil(answer);
    const port = await start(
      `${PAIR} ssl_stapling on; ssl_stapling_verify on; ssl_stapling_responder ${url};`,
      chain(site),
    );
    expect(await untilLogged(proxy as RunningProxy, warning)).toBe(true);
    expect(await stapleOf(port)).toBeNull();
    const lines =
      proxy
        ?.errorLog()
        .split('\n')
        .filter((line) => warning.test(line)) ?? [];
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/\[warn\].*while requesting certificate status, responder: .*, certificate: ".*c\.pem"/);
  });

  test('a silent one keeps nobody waiting, neither clients nor the end of the program', async () => {
    const url = await startEvil(() => undefined);
    const port = await start(`${PAIR} ssl_stapling on; ssl_stapling_responder ${url};`, chain(site));
    expect(await stapleOf(port)).toBeNull();
    const running = proxy as RunningProxy;
    running.signal('SIGQUIT');
    expect((await running.exited).code).toBe(0);
  });
});
