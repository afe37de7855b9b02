import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { workerPids } from '../process/ask.ts';
import { freePort } from '../support/free-port.ts';
import { headerOf, readMessage, statusOf } from '../support/http-message.ts';
import { type ClientAddress, RawClient } from '../support/raw-client.ts';
import { startProxy } from '../support/start-proxy.ts';
import { siteConf } from './one-backend.ts';

/**
 * Buffers are shared, taken over and used again all the way: many clients at once, slow ones, such as give up and such as pipeline, and peers
 * that answer in every way there is. Every body tells whose it is in each of its lines; nobody may see a byte of another's.
 * `EVENKEEL_SEED` repeats a run, `EVENKEEL_SOAK_MS` prolongs it.
 */
const SEED = Number(process.env['EVENKEEL_SEED'] ?? Math.floor(Math.random() * 1e9));
const SOAK_MS = Number(process.env['EVENKEEL_SOAK_MS'] ?? 6000);
const CLIENTS = 40;

/** How a peer answers. */
const ANSWERS = [
  'length',
  'chunked',
  'until-close',
  'interim',
  'drip',
  'early',
  'break',
  'not-at-first',
  'busy-at-first',
] as const;
type Answer = (typeof ANSWERS)[number];
/** Answers that a client may not get whole. */
const BREAKING: readonly Answer[] = ['break', 'early'];
const ROUTES = ['/buffered', '/small', '/memory', '/unbuffered', '/streamed', '/paced', '/patient'];

/** A small generator of its own, so that a seed repeats the choices. */
function chooser(seed: number) {
  let state = seed >>> 0;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return {
    below: (n: number) => Math.floor(next() * n),
    chance: (share: number) => next() < share,
    of: <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T,
    /** Many small ones, some beyond every buffer. */
    size: () => Math.floor(next() ** 4 * 1_200_000),
  };
}

/** Lines that say whose they are and where they stand. */
function bodyOf(owner: string, size: number): string {
  const lines: string[] = [];
  for (let length = 0, i = 0; length < size; i++) {
    const line = `${owner}:${i}\n`;
    lines.push(line);
    length += line.length;
  }
  return lines.join('').slice(0, size);
}

interface Asked {
  readonly id: string;
  readonly method: string;
  readonly answer: Answer;
  readonly size: number;
  readonly bytes: string;
}

let lastId = 0;

function request(pick: ReturnType<typeof chooser>, isLast: boolean): Asked {
  const id = `r${++lastId}`;
  const method = pick.of(['GET', 'GET', 'GET', 'HEAD', 'POST', 'PUT']);
  const answer = pick.of(ANSWERS);
  const size = pick.size();
  const sent = method === 'POST' || method === 'PUT' ? bodyOf(`to-${id}`, pick.size()) : '';
  const isChunked = sent !== '' && pick.chance(0.4);
  const target = `${pick.of(ROUTES)}/${answer}?id=${id}&size=${size}&sent=${sent.length}`;
  const head = `${method} ${target} HTTP/1.1\r\nHost: t\r\nX-Id: ${id}\r\n${isLast ? 'Connection: close\r\n' : ''}`;
  let bytes = head;
  if (isChunked) {
    bytes += 'Transfer-Encoding: chunked\r\n\r\n';
    for (let at = 0; at < sent.length; ) {
      const piece = sent.slice(at, at + 1 + pick.below(30_000));
      bytes += `${piece.length.toString(16)}\r\n${piece}\r\n`;
      at += piece.length;
    }
    bytes += '0\r\n\r\n';
  } else bytes += sent === '' ? '\r\n' : `Content-Length: ${sent.length}\r\n\r\n${sent}`;
  return { id, method, answer, size, bytes };
}

/** What went wrong anywhere; the test fails with the first few. */
const wrong: string[] = [];
const counts = { responses: 0, whole: 0, requests: 0 };

function startPeer(pick: ReturnType<typeof chooser>): Promise<Server> {
  const seen = new Set<string>();
  const serve = async (socket: Socket): Promise<void> => {
    let bytes = '';
    let wake: () => void = () => undefined;
    socket.on('data', (chunk) => {
      bytes += chunk.toString('latin1');
      wake();
    });
    socket.on('close', () => wake());
    while (!socket.destroyed) {
      const headEnd = bytes.indexOf('\r\n\r\n');
      const isEarly = headEnd > 0 && bytes.slice(0, headEnd).includes('/early?');
      const message = readMessage(bytes, 0, { isResponse: false, hasEnded: isEarly });
      if (message === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      bytes = bytes.slice(message.end);
      const [method = '', target = ''] = message.startLine.split(' ');
      const asked = new URL(target, 'http://t');
      const id = asked.searchParams.get('id') ?? '';
      const sent = Number(asked.searchParams.get('sent'));
      counts.requests++;
      if (headerOf(message.headers, 'x-id') !== id || !/^\/[a-z]+\/[a-z-]+$/.test(asked.pathname)) {
        wrong.push(`peer: "${message.startLine.slice(0, 200)}" with X-Id ${headerOf(message.headers, 'x-id')}`);
      }
      const expected = bodyOf(`to-${id}`, sent);
      if (isEarly ? !expected.startsWith(message.body) : message.body !== expected) {
        wrong.push(
          `peer: body of ${id}: ${message.body.length} of ${sent} bytes, ${firstDifference(message.body, expected)}`,
        );
      }
      const isFirst = !seen.has(id);
      seen.add(id);
      await answer(socket, asked.pathname.split('/')[2] as Answer, {
        id,
        method,
        isFirst,
        size: Number(asked.searchParams.get('size')),
      });
      // The rest of that body is no request.
      if (isEarly && !message.isComplete) return void socket.destroySoon();
    }
  };
  const answer = async (
    socket: Socket,
    how: Answer,
    { id, method, isFirst, size }: { id: string; method: string; isFirst: boolean; size: number },
  ): Promise<void> => {
    const body = bodyOf(id, size);
    const head = (fields: string, status = '200 OK') => `HTTP/1.1 ${status}\r\nX-Id: ${id}\r\n${fields}\r\n`;
    const put = (text: string) => void socket.write(Buffer.from(text, 'latin1'));
    const whole = `${head(`Content-Length: ${size}\r\n`)}${method === 'HEAD' ? '' : body}`;
    if (pick.chance(0.2)) await sleep(pick.below(10));
    switch (how) {
      case 'not-at-first':
        if (isFirst && method === 'GET') return void socket.resetAndDestroy();
        return put(whole);
      case 'busy-at-first':
        if (isFirst && method !== 'POST')
          return put(`${head('Content-Length: 4\r\n', '503 Busy')}${method === 'HEAD' ? '' : 'busy'}`);
        return put(whole);
      case 'interim':
        put(`HTTP/1.1 103 Early Hints\r\nX-Id: ${id}\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n`);
        return put(whole);
      case 'break':
        if (method === 'HEAD') return put(whole);
        put(whole.slice(0, whole.length - Math.ceil(size / 2)));
        await sleep(pick.below(5));
        return void (pick.chance(0.5) ? socket.resetAndDestroy() : socket.destroySoon());
      case 'until-close':
        put(`${head('')}${method === 'HEAD' ? '' : body}`);
        return void socket.destroySoon();
      case 'drip':
        for (let at = 0; at < whole.length && !socket.destroyed; ) {
          const piece = whole.slice(at, at + 1 + pick.below(60_000));
          at += piece.length;
          put(piece);
          await sleep(pick.below(3));
        }
        return;
      case 'chunked': {
        let framed = head('Transfer-Encoding: chunked\r\nTrailer: X-Id\r\n');
        if (method === 'HEAD') return put(framed);
        for (let at = 0; at < size; ) {
          const piece = body.slice(at, at + 1 + pick.below(pick.chance(0.3) ? 50 : 40_000));
          framed += `${piece.length.toString(16)}\r\n${piece}\r\n`;
          at += piece.length;
        }
        return put(`${framed}0\r\nX-Id: ${id}\r\n\r\n`);
      }
      default:
        return put(whole);
    }
  };
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => undefined); // the proxy gives up what its clients gave up
    serve(socket).catch((error: unknown) => wrong.push(String(error)));
  });
  return new Promise((resolve) => server.listen({ port: 0, host: '127.0.0.1' }, () => resolve(server)));
}

function firstDifference(actual: string, expected: string): string {
  let at = 0;
  while (at < actual.length && actual[at] === expected[at]) at++;
  return `at ${at}: ${JSON.stringify(actual.slice(at, at + 60))} instead of ${JSON.stringify(expected.slice(at, at + 60))}`;
}

/** Everything that came back on one connection belongs to what was asked on it, in its order. */
function check(asked: readonly Asked[], received: string, hasLeft: boolean): void {
  let at = 0;
  for (const { id, method, answer, size } of asked) {
    const rules = { isResponse: true, isToHead: method === 'HEAD', hasEnded: true };
    let message = readMessage(received, at, rules);
    while (message !== undefined && statusOf(message.startLine) >= 100 && statusOf(message.startLine) < 200) {
      if (message.end <= at) break;
      at = message.end;
      message = readMessage(received, at, rules);
    }
    if (message === undefined || statusOf(message.startLine) === 0) {
      const rest = received.slice(at);
      if (rest !== '' && !'HTTP/1.1 '.startsWith(rest.slice(0, 9)))
        wrong.push(`${id}: ${JSON.stringify(rest.slice(0, 80))}`);
      return;
    }
    counts.responses++;
    const status = statusOf(message.startLine);
    if (status === 200 || (status === 503 && headerOf(message.headers, 'x-id') !== undefined)) {
      const theirs = headerOf(message.headers, 'x-id');
      if (theirs !== undefined && theirs !== id) wrong.push(`${id} got the head of ${theirs}`);
    }
    if (status === 200 && method !== 'HEAD') {
      const expected = bodyOf(id, size);
      const isWhole = message.body.length === size && message.isComplete;
      if (isWhole) counts.whole++;
      const mayBreak = hasLeft || BREAKING.includes(answer);
      if (!expected.startsWith(message.body) || (!isWhole && !mayBreak)) {
        wrong.push(
          `${id} ${answer}: ${message.body.length} of ${size} bytes, ${firstDifference(message.body, expected)}`,
        );
      }
      for (const [name, value] of message.trailers) if (value !== id) wrong.push(`${id}: trailer ${name}: ${value}`);
    }
    if (!message.isComplete) return;
    at = message.end;
  }
  if (received.length > at) wrong.push(`behind ${asked.at(-1)?.id}: ${JSON.stringify(received.slice(at, at + 80))}`);
}

/** One connection: some requests at once, read fast or slowly, to the end or not. */
async function converse(to: ClientAddress, pick: ReturnType<typeof chooser>): Promise<void> {
  const count = 1 + pick.below(4);
  const asked = Array.from({ length: count }, (_, i) => request(pick, i === count - 1));
  const client = await RawClient.connect(to);
  const isSlow = pick.chance(0.3);
  const leavesAfterMs = pick.chance(0.2) ? pick.below(60) : Number.POSITIVE_INFINITY;
  const bytes = asked.map((one) => one.bytes).join('');
  const cut = pick.chance(0.5) ? bytes.length : pick.below(bytes.length);
  client.send(bytes.slice(0, cut));
  if (cut < bytes.length) setTimeout(() => client.socket.destroyed || client.send(bytes.slice(cut)), pick.below(10));
  const end = performance.now() + 15_000;
  const leaveAt = performance.now() + leavesAfterMs;
  let received = '';
  while (client.ending === 'open' && performance.now() < end) {
    if (isSlow) client.socket.pause();
    await sleep(1 + pick.below(isSlow ? 25 : 5));
    client.socket.resume();
    if (isSlow) await sleep(1);
    if (performance.now() < leaveAt) continue;
    received = client.received;
    if (to.path === undefined && pick.chance(0.5)) client.reset();
    else client.leave();
    break;
  }
  if (client.ending === 'open' && !client.hasLeft)
    wrong.push(`${asked.map((one) => `${one.id} ${one.answer}`).join()}: no end within 15 s`);
  check(asked, client.hasLeft ? received : client.received, client.hasLeft || client.ending === 'reset');
  client.close();
}

test(`forty clients, seed ${SEED}: everybody gets their own bytes`, async () => {
  const pick = chooser(SEED);
  const peers = await Promise.all([
    startPeer(chooser(SEED + 1)),
    startPeer(chooser(SEED + 2)),
    startPeer(chooser(SEED + 3)),
  ]);
  onTestFinished(() => peers.forEach((peer) => void peer.close()));
  const ports = peers.map((peer) => (peer.address() as { port: number }).port);
  const port = await freePort();
  const retry = 'proxy_next_upstream error timeout http_503; early_hints 1; proxy_pass_trailers on;';
  const route = (name: string, settings: string) => `location /${name}/ { proxy_pass http://u; ${retry} ${settings} }`;
  const proxy = await startProxy({
    conf: (prefix) =>
      siteConf(port, ports.map((one) => `127.0.0.1:${one} max_fails=0`).join(), {
        upstream: 'keepalive 16;',
        http: 'client_max_body_size 0; keepalive_requests 100000;',
        server: [
          `listen unix:${prefix}/clients;`,
          route('buffered', ''),
          route('small', 'proxy_buffers 4 4k; proxy_max_temp_file_size 64k; client_body_buffer_size 4k;'),
          route('memory', 'proxy_buffers 4 4k; proxy_max_temp_file_size 0;'),
          route('unbuffered', 'proxy_buffering off;'),
          route('streamed', 'proxy_request_buffering off;'),
          route('paced', 'limit_rate 2m;'),
          route('patient', 'proxy_ignore_client_abort on;'),
        ].join('\n'),
      }),
  });
  onTestFinished(async () => void (await proxy.stop()));
  const [worker] = workerPids(proxy);

  // A unix socket holds back some hundred kilobytes only: there slow clients are soon too slow.
  const until = performance.now() + SOAK_MS;
  await Promise.all(
    Array.from({ length: CLIENTS }, async (_, i) => {
      const own = chooser(SEED + 100 + i + pick.below(1000));
      while (performance.now() < until && wrong.length < 5)
        await converse(own.chance(0.3) ? { port } : { path: `${proxy.prefix}/clients` }, own);
    }),
  );
  expect(wrong.slice(0, 5)).toEqual([]);
  expect(counts.whole).toBeGreaterThan(100);
  expect(workerPids(proxy)).toEqual([worker]);
  expect(proxy.errorLog()).not.toMatch(/\[(alert|crit|emerg)\]/);
  console.log(
    `seed ${SEED}: ${counts.requests} requests at the peers, ${counts.responses} responses, ${counts.whole} whole bodies`,
  );
});
