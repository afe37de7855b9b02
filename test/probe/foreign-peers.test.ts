import { createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { postgresProbe } from '../../src/probe/postgres-probe.ts';
import type { ProbeTarget } from '../../src/probe/probe.ts';
import { redisProbe } from '../../src/probe/redis-probe.ts';
import { sentinelProbe } from '../../src/probe/sentinel-probe.ts';

const LIMITS = { role: 'any', maxLagBytes: 1, maxLagMs: 1, minReplicas: 0 } as const;
const PROBES = [
  postgresProbe({ user: 'a', database: 'a', password: 'b', maxSlotWalBytes: null, ...LIMITS }),
  redisProbe({ password: 'b', ...LIMITS }),
  sentinelProbe({ masterName: 'm', minSentinels: 0 }),
];

let server: Server | undefined;
afterEach(() => {
  server?.close();
});

/** Says this to whoever says anything, and then nothing, or closes. */
async function peer(words: string, isClosing: boolean): Promise<ProbeTarget> {
  const listening = createServer((socket) => {
    socket.on('error', () => undefined); // it is given up
    socket.once('data', () => {
      socket.write(words, 'latin1');
      if (isClosing) socket.end();
    });
  });
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const address = listening.address();
  return { kind: 'tcp', host: '127.0.0.1', port: typeof address === 'object' && address !== null ? address.port : 0 };
}

test.each([
  'HTTP/1.1 400 Bad Request\r\n\r\n',
  '\xff'.repeat(64),
  'R\0\0\0\x02', // shorter than its own length
  'R\x7f\xff\xff\xff', // longer than anything
  'R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I', // let in without a word, then silence
  'E\0\0\0\x08xxxx', // pg's parser would look for the end of this for ever
  'E\0\0\0\x05\0',
  'E\0\0\0\x09Mno\0\0E\0\0\0\x09Mno\0\0',
  'D\0\0\0\x08\0\x01aa',
  'T\0\0\0\x06\0\x09',
  'N',
  '-ERR no\r\n',
  '$-5\r\n',
  '*-7\r\n',
  '$999999999\r\nabc',
  '*1\r\n'.repeat(20_000),
  '+OK\r\n+PONG\r\n*1\r\n$6\r\nmaster\r\n$3\r\nabc\r\n',
  '!9\r\n',
])('%j instead of a database: not well, in time, and the program lives on', async (words) => {
  for (const isClosing of [true, false]) {
    const target = await peer(words, isClosing);
    for (const probe of PROBES) {
      const result = await probe.run(target, AbortSignal.timeout(300));
      expect(result.isPassed).toBe(false);
      expect(result.reason).not.toBe('');
    }
    server?.close();
  }
});
