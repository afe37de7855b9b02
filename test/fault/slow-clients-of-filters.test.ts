import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openFiles, residentBytes } from '../support/process-facts.ts';
import { CLOSE } from '../support/scripted-backend.ts';
import { get, OneBackend } from './one-backend.ts';

const MIB = 1 << 20;
const GROWTH_BYTES = 64 * MIB;
const LINE = 'one fish, two FiSh, \xc1 and \x80.\n';
const PEER_BODY = LINE.repeat(700_000);
const SEEN_LINE = 'one longer bird, two longer bird, а and ─.\n';
const FILTERS = `
  proxy_temp_path temp; sub_filter fish 'longer bird'; sub_filter_once off; charset utf-8; source_charset koi8-r;`;
const http = 'charset_map koi8-r utf-8 { C1 D0B0; 80 E29480; }';

const head = `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${PEER_BODY.length}\r\n\r\n`;

function digest(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}

/** Reads a chunked answer, resting after every so many reads; gives the body's digest. */
async function readSlowly(site: OneBackend, watch: () => void): Promise<string> {
  const client = await site.connect();
  client.socket.removeAllListeners('data');
  client.send(get('/'));
  const pieces: Buffer[] = [];
  let reads = 0;
  await new Promise<void>((resolve) => {
    client.socket.on('data', (chunk: Buffer) => {
      pieces.push(chunk);
      if (chunk.subarray(-7).toString('latin1').endsWith('0\r\n\r\n')) return resolve();
      if (++reads % 32 !== 0) return;
      watch();
      client.socket.pause();
      setTimeout(() => client.socket.resume(), 2);
    });
  });
  return digest(dechunked(Buffer.concat(pieces)).toString());
}

function dechunked(answer: Buffer): Buffer {
  const body: Buffer[] = [];
  let at = answer.indexOf('\r\n\r\n') + 4;
  for (;;) {
    const end = answer.indexOf('\r\n', at);
    const length = Number.parseInt(answer.toString('latin1', at, end), 16);
    if (length === 0) return Buffer.concat(body);
    body.push(answer.subarray(end + 2, end + 2 + length));
    at = end + 2 + length + 2;
  }
}

describe('a slow client of a filtered body', () => {
  test.each([
    ['buffered', ''],
    ['buffered in memory', 'proxy_max_temp_file_size 0;'],
    ['unbuffered', 'proxy_buffering off;'],
  ])('%s: gets every byte, and the worker stays small', async (_title, directives) => {
    const site = await OneBackend.start([head, PEER_BODY, CLOSE], { http, location: FILTERS + directives });
    const before = residentBytes(site.workerPid);
    let most = before;
    const seen = await readSlowly(site, () => {
      most = Math.max(most, residentBytes(site.workerPid));
    });
    expect(seen).toBe(digest(SEEN_LINE.repeat(700_000)));
    expect(most - before).toBeLessThan(GROWTH_BYTES);
    await expect.poll(() => openFiles(site.workerPid).filter((file) => file.includes('/temp/'))).toEqual([]);
  });

  test('leaves in the middle: nothing is left', async () => {
    const site = await OneBackend.start([head, PEER_BODY, CLOSE], { http, location: FILTERS });
    const files = openFiles(site.workerPid).length;
    for (let i = 0; i < 5; i++) {
      const client = await site.connect();
      client.send(get('/'));
      await client.untilReceived('longer bird');
      client.socket.resetAndDestroy();
    }
    await expect.poll(() => site.proxy.read('access.log').match(/GET \/ /g)?.length).toBe(5);
    await expect.poll(() => openFiles(site.workerPid).length).toBe(files);
  });
});

test('a peer that dies in the middle: what came is sent, and the end is missing', async () => {
  const site = await OneBackend.start([head, `${LINE}and a fi`, CLOSE], { http, location: FILTERS });
  const client = await site.connect();
  client.send(get('/'));
  await client.untilClosed();
  const seen = client.received;
  expect(Buffer.from(seen, 'latin1').toString()).toContain(SEEN_LINE);
  expect(seen).not.toMatch(/0\r\n\r\n$/);
});

test('a listing that nobody reads: nothing is left', async () => {
  const site = await OneBackend.start('', {
    server: 'location /listed/ { autoindex on; send_timeout 1s; root .; }',
  });
  const folder = join(site.proxy.prefix, 'listed');
  mkdirSync(folder);
  for (let i = 0; i < 20_000; i++) writeFileSync(join(folder, `a file with quite a long name ${i}`), '');
  const files = openFiles(site.workerPid).length;
  const silent = await site.connect();
  silent.socket.pause();
  silent.send(get('/listed/'));
  const hasty = await site.connect();
  hasty.send(get('/listed/'));
  hasty.socket.resetAndDestroy();
  await expect.poll(() => site.proxy.read('access.log').match(/GET \/listed\//g)?.length, { timeout: 15_000 }).toBe(2);
  silent.socket.destroy();
  await expect.poll(() => openFiles(site.workerPid).length).toBe(files);
});
