import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { workerPids } from '../process/ask.ts';
import { poll } from '../support/deadline.ts';
import { freePort } from '../support/free-port.ts';
import { H2Client } from '../support/h2-client.ts';
import { END_HEADERS, END_STREAM, FRAME, fields, frame, getFields, RawH2Client, uint32 } from '../support/h2-frames.ts';
import { residentBytes } from '../support/process-facts.ts';
import { HANG, ScriptedBackend } from '../support/scripted-backend.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';

const ENHANCE_YOUR_CALM = 11;
const MEGABYTE = 1024 * 1024;

let proxy: RunningProxy;
let backend: ScriptedBackend;
let port = 0;
let bystander: H2Client;

beforeAll(async () => {
  port = await freePort();
  backend = await ScriptedBackend.start({ script: [HANG] });
  proxy = await startProxy({
    conf: `error_log error.log info;
events { worker_connections 4096; }
http {
  access_log off;
  http2 on;
  keepalive_requests 1000000;
  server {
    listen 127.0.0.1:${port};
    location = /ok { return 200 ok; }
    location / { proxy_pass http://127.0.0.1:${backend.port}; }
  }
}
`,
  });
  bystander = await H2Client.connect(port);
});

afterAll(async () => {
  bystander.close();
  await proxy.stop();
  await backend.stop();
});

/** Rounds of frames; each is sent when the one before has left, until the attacker has lost its connection. */
interface Attack {
  readonly round: (nth: number) => readonly Buffer[];
  readonly rounds: number;
  /** The client reads nothing of what comes. */
  readonly isDeaf?: boolean;
  readonly logged: RegExp;
  readonly code?: number;
}

const many = (count: number, make: (i: number) => Buffer): Buffer[] => Array.from({ length: count }, (_, i) => make(i));
const streamId = (nth: number, i: number, perRound: number): number => 2 * (nth * perRound + i) + 1;
const head = (id: number, path = '/hang', flags = END_STREAM): Buffer =>
  frame(FRAME.headers, flags | END_HEADERS, id, getFields(path));

const ATTACKS: Readonly<Record<string, Attack>> = {
  'rapid reset (CVE-2023-44487)': {
    round: (nth) =>
      many(50, (i) =>
        Buffer.concat([head(streamId(nth, i, 50)), frame(FRAME.reset, 0, streamId(nth, i, 50), uint32(8))]),
      ),
    rounds: 200,
    logged: /http2 flood detected: too many resets/,
  },
  'resets that the client makes us send (CVE-2025-8671)': {
    // A window beyond its limit is a stream error (RFC 9113 section 6.9.1).
    round: (nth) =>
      many(50, (i) =>
        Buffer.concat([
          head(streamId(nth, i, 50)),
          frame(FRAME.windowUpdate, 0, streamId(nth, i, 50), uint32(0x7fffffff)),
        ]),
      ),
    rounds: 200,
    // nghttp2 counts them too, and may be the first.
    logged: /http2 flood detected|error while processing HTTP\/2 connection/,
  },
  PING: {
    round: () => many(500, () => frame(FRAME.ping, 0, 0, Buffer.alloc(8))),
    rounds: 200,
    logged: /http2 flood detected: too many control frames/,
  },
  SETTINGS: {
    round: () => many(500, () => frame(FRAME.settings, 0, 0, Buffer.from([0, 3, 0, 0, 0, 100]))),
    rounds: 200,
    logged: /http2 flood detected: too many control frames/,
  },
  'PING, and the answers are not read': {
    round: () => many(500, () => frame(FRAME.ping, 0, 0, Buffer.alloc(8))),
    rounds: 200,
    isDeaf: true,
    logged: /http2 flood detected|while processing HTTP\/2 connection/,
  },
  WINDOW_UPDATE: {
    round: () => many(1000, () => frame(FRAME.windowUpdate, 0, 0, uint32(1))),
    rounds: 2000,
    logged: /http2 flood detected: too many bytes that belong to no request/,
  },
  'frames of no known type': {
    round: () => many(1000, () => frame(0x77, 0, 0, Buffer.alloc(20))),
    rounds: 2000,
    // nghttp2 counts them too, and may be the first.
    logged: /http2 flood detected|Protocol error while processing HTTP\/2 connection/,
  },
  'empty DATA': {
    round: (nth) => [...(nth === 0 ? [head(1, '/hang', 0)] : []), ...many(500, () => frame(FRAME.data, 0, 1))],
    rounds: 200,
    logged: /while processing HTTP\/2 connection/,
  },
  'CONTINUATION without end (CVE-2024-28182)': {
    round: (nth) => [
      ...(nth === 0 ? [frame(FRAME.headers, END_STREAM, 1, getFields('/ok'))] : []),
      ...many(100, (i) => frame(FRAME.continuation, 0, 1, fields(`x-${nth}-${i}`, 'v'.repeat(100)))),
    ],
    rounds: 500,
    logged: /while processing HTTP\/2 connection/,
  },
  'heads that are none': {
    round: (nth) =>
      many(50, (i) =>
        frame(FRAME.headers, END_STREAM | END_HEADERS, streamId(nth, i, 50), fields(':method', 'GET', 'Bad', 'x')),
      ),
    rounds: 400,
    logged: /while processing HTTP\/2 connection/,
  },
};

test.each(Object.keys(ATTACKS))('%s costs the attacker its connection, and others nothing', async (name) => {
  const attack = ATTACKS[name] as Attack;
  const [worker = 0] = workerPids(proxy);
  const before = residentBytes(worker);
  const logAt = proxy.errorLog().length;
  const attacker = await RawH2Client.connect(port);
  onTestFinished(() => attacker.close());
  if (attack.isDeaf === true) attacker.socket.pause();

  for (let nth = 0; nth < attack.rounds && !attacker.isClosed && !attacker.socket.destroyed; nth++) {
    await new Promise((resolve) => {
      if (attacker.socket.write(Buffer.concat(attack.round(nth)))) setImmediate(resolve);
      else attacker.socket.once('drain', resolve).once('close', resolve).once('end', resolve);
    });
    if (nth % 20 === 0) expect((await bystander.ask('/ok')).body.toString()).toBe('ok');
  }
  if (attack.isDeaf === true) attacker.socket.resume();
  expect(await attacker.untilClosed()).toBe(true);
  expect(await poll(() => (attack.logged.test(proxy.errorLog().slice(logAt)) ? true : undefined), 5000)).toBe(true);
  expect([null, ENHANCE_YOUR_CALM, 1, 2, 3]).toContain(attacker.goawayCode);
  expect((await bystander.ask('/ok')).status).toBe(200);
  expect(workerPids(proxy)).toEqual([worker]);
  expect(residentBytes(worker) - before).toBeLessThan(100 * MEGABYTE);
  expect(await poll(() => (backend.openConnections === 0 ? true : undefined), 5000)).toBe(true);
});
