import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { makeCertificate } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { startProxy } from '../support/start-proxy.ts';

const run = promisify(execFile);

function isInstalled(): boolean {
  try {
    execFileSync('h2load', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const PRESENT = isInstalled();
const REASON = 'h2load is not installed: apt-get install nghttp2-client';
if (!PRESENT && process.env['CI'] === 'true') throw new Error(REASON);

const REQUESTS = 5000;

test.skipIf(!PRESENT)(`h2load, 100 streams on 10 connections: no error${PRESENT ? '' : ` (${REASON})`}`, async () => {
  const port = await freePort();
  const tlsPort = await freePort();
  const backendPort = await freePort();
  const pair = makeCertificate('site');
  const proxy = await startProxy({
    conf: `worker_processes 2;
events { worker_connections 4096; }
http {
  access_log off;
  http2 on;
  keepalive_requests ${REQUESTS};
  upstream u { server 127.0.0.1:${backendPort}; keepalive 500; }
  server { listen 127.0.0.1:${backendPort}; return 200 hello; }
  server {
    listen 127.0.0.1:${port};
    listen 127.0.0.1:${tlsPort} ssl;
    ssl_certificate c.pem;
    ssl_certificate_key c.key;
    location = /own { return 200 ok; }
    location / { proxy_pass http://u; }
  }
}
`,
    files: { 'c.pem': pair.cert, 'c.key': pair.key },
  });
  onTestFinished(async () => void (await proxy.stop()));
  for (const url of [`http://127.0.0.1:${port}/own`, `https://127.0.0.1:${tlsPort}/own`, `http://127.0.0.1:${port}/`]) {
    const { stdout } = await run('h2load', ['-n', String(REQUESTS), '-c', '10', '-m', '100', url]);
    expect(stdout).toContain(`${REQUESTS} done, ${REQUESTS} succeeded, 0 failed, 0 errored, 0 timeout`);
    expect(stdout).toContain(`status codes: ${REQUESTS} 2xx, 0 3xx, 0 4xx, 0 5xx`);
  }
});
