import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { buildImage, Container, docker } from './engine.ts';

const IMAGE = `evenkeel-test:${process.pid}`;
const containers: Container[] = [];
const folder = tempFolder('evenkeel-docker');

async function start(...runArgs: string[]): Promise<Container> {
  const container = await Container.start(IMAGE, ...runArgs);
  containers.push(container);
  return container;
}

function confFile(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

beforeAll(async () => {
  chmodSync(folder, 0o755);
  await buildImage(IMAGE);
}, 1_200_000);
afterEach(async () => {
  await Promise.all(containers.splice(0).map((container) => container.remove()));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await docker('image', 'rm', IMAGE);
});

test('answers on port 80 as it comes, as an ordinary user, under the name nginx', async () => {
  const container = await start();
  const response = await fetch(container.url);
  expect(response.headers.get('server')).toMatch(/^nginx\/\d+\.\d+\.\d+$/);
  expect(await response.text()).toContain('evenkeel is up');
  expect((await container.exec('id', '-u')).stdout.trim()).toBe('101');
  expect((await container.exec('nginx', '-t')).stderr).toMatch(/syntax is ok\n.*test is successful\n$/);
  expect((await container.exec('nginx', '-v')).stderr).toMatch(/^nginx version: nginx\//);
});

test('writes the access log to stdout and the error log to stderr', async () => {
  const container = await start();
  await fetch(`${container.url}/in-the-log`);
  await container.until(async () => (await container.logs()).stdout.includes('"GET /in-the-log HTTP/1.1" 200'));
  expect((await container.logs()).stderr).toContain('[notice]');
});

test('turns healthy, without a trace in the access log', async () => {
  const container = await start('--health-interval=1s');
  const linesBefore = (await container.logs()).stdout.split('\n').length;
  await container.until(async () => (await container.inspect('{{.State.Health.Status}}')) === 'healthy');
  expect((await container.logs()).stdout.split('\n').length).toBe(linesBefore);
});

test('turns unhealthy when its workers hang', async () => {
  const container = await start('--health-interval=1s', '--health-retries=1', '--health-start-period=0s');
  await container.until(async () => (await container.inspect('{{.State.Health.Status}}')) === 'healthy');
  const stopWorkers = "for p in /proc/[0-9]*; do grep -q '^PPid:.1$' $p/status && kill -STOP ${p#/proc/}; done; true";
  await container.exec('sh', '-c', stopWorkers);
  await container.until(async () => (await container.inspect('{{.State.Health.Status}}')) === 'unhealthy');
});

test('takes mounted configuration, and reloads it', async () => {
  const site = (text: string): string => `server { listen 80; location / { return 200 "${text}"; } }`;
  const conf = confFile('default.conf', site('first'));
  const container = await start('-v', `${conf}:/etc/nginx/conf.d/default.conf:ro`);
  expect(await (await fetch(container.url)).text()).toBe('first');
  writeFileSync(conf, site('second'));
  await container.exec('nginx', '-s', 'reload');
  await container.until(async () => (await (await fetch(container.url)).text()) === 'second');
});

test('takes the nginx.conf that was written for the nginx image', async () => {
  const conf = confFile(
    'nginx.conf',
    `user nginx;
worker_processes 1;
error_log /var/log/nginx/error.log warn;
pid /var/run/nginx.pid;
events { worker_connections 1024; }
http {
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  access_log /var/log/nginx/access.log;
  sendfile on;
  server { listen 80; location / { return 200 "mine"; } }
}
`,
  );
  const container = await start('-v', `${conf}:/etc/nginx/nginx.conf:ro`);
  expect(await (await fetch(container.url)).text()).toBe('mine');
  await container.exec('nginx', '-t');
});

test('docker stop lets a response in flight finish', async () => {
  const conf = confFile(
    'slow.conf',
    'server { listen 80; location / { return 200 up; } location /slow { proxy_pass http://127.0.0.1:9000; } }',
  );
  const container = await start('-v', `${conf}:/etc/nginx/conf.d/default.conf:ro`);
  const backend = `require('http').createServer((_, response) => {
    response.write('begun ');
    setTimeout(() => response.end('done'), 2000);
  }).listen(9000)`;
  await docker('exec', '-d', container.id, 'node', '-e', backend);
  await container.until(
    async () =>
      (await container.exec('node', '-e', `fetch('http://127.0.0.1:9000').then((answer) => answer.text())`)).stdout ===
      '',
  );

  const response = await fetch(`${container.url}/slow`);
  const stopped = docker('stop', '--time', '20', container.id);
  expect(await response.text()).toBe('begun done');
  await stopped;
  expect(await container.inspect('{{.State.ExitCode}}')).toBe('0');
  await expect(fetch(container.url)).rejects.toThrow();
});
