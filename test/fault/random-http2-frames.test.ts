import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { workerPids } from '../process/ask.ts';
import { freePort } from '../support/free-port.ts';
import { RawClient } from '../support/raw-client.ts';
import {
  data,
  END_HEADERS,
  END_STREAM,
  type Fields,
  frame,
  goaway,
  headers,
  OK,
  RawH2Peer,
  rst,
  settings,
} from '../support/raw-h2-peer.ts';
import { startProxy } from '../support/start-proxy.ts';

const ROUNDS = 40;
const REQUESTS_AT_ONCE = 6;
/** The same frames in every run, unless told otherwise. */
const SEED = Number(process.env['EVENKEEL_SEED'] ?? 7);

const FIELDS: readonly Fields[] = [
  [[':status', '200']],
  [[':status', '103']],
  [[':status', '204']],
  [
    [':status', '200'],
    ['content-length', '4'],
  ],
  [[':status', '999']],
  [['x-trailer', '1']],
  [],
];

type Say = (id: number) => Buffer;

const sound: fc.Arbitrary<Say> = fc.oneof(
  fc.constantFrom(...FIELDS).map(
    (fields): Say =>
      (id) =>
        headers(id, fields),
  ),
  fc.tuple(fc.nat(40), fc.boolean()).map(
    ([length, isLast]): Say =>
      (id) =>
        data(id, 'x'.repeat(length), isLast),
  ),
  fc.constant<Say>((id) => headers(id, [['x-trailer', '1']], END_HEADERS | END_STREAM)),
  fc.nat(15).map(
    (code): Say =>
      (id) =>
        rst(id, code),
  ),
  fc.tuple(fc.nat(9), fc.nat(15)).map(
    ([last, code]): Say =>
      () =>
        goaway(last, code),
  ),
  fc.nat(200).map(
    (value): Say =>
      () =>
        settings([3, value]),
  ),
);
const unsound: fc.Arbitrary<Say> = fc.oneof(
  fc.tuple(fc.constantFrom(...FIELDS), fc.nat(0x2d)).map(
    ([fields, flags]): Say =>
      (id) =>
        headers(id, fields, flags),
  ),
  fc.tuple(fc.nat(8), fc.nat()).map(
    ([setting, value]): Say =>
      () =>
        settings([setting, value]),
  ),
  fc.tuple(fc.nat(12), fc.nat(255), fc.nat(9), fc.uint8Array({ maxLength: 40 })).map(
    ([type, flags, id, payload]): Say =>
      () =>
        frame(type, flags, id, payload),
  ),
  fc.uint8Array({ maxLength: 60 }).map(
    (bytes): Say =>
      () =>
        Buffer.from(bytes),
  ),
);
/** What a peer says to one request: most of it is sound, so that most of it is heard. */
const speech: fc.Arbitrary<Say[]> = fc
  .tuple(
    fc.boolean(),
    fc.array(fc.oneof({ weight: 12, arbitrary: sound }, { weight: 1, arbitrary: unsound }), { maxLength: 6 }),
  )
  .map(([isAnswered, more]) => [...(isAnswered ? [(id: number) => headers(id, OK)] : []), ...more]);

test('whatever a peer says, the worker lives, every request ends and nothing stays busy', async () => {
  const speeches = fc.sample(speech, { seed: SEED, numRuns: ROUNDS * REQUESTS_AT_ONCE });
  const peer = await RawH2Peer.start({
    onRequest: (to, id, count) => {
      to.send(...(speeches[count % speeches.length] ?? []).map((say) => say(id)));
      if (count % 4 === 0) to.socket.end();
    },
  });
  onTestFinished(() => peer.stop());
  const port = await freePort();
  const proxy = await startProxy({
    conf: `error_log error.log info;
events {}
http {
  access_log off;
  upstream u { server 127.0.0.1:${peer.port} max_fails=0; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://u; proxy_http_version 2; proxy_read_timeout 300ms; early_hints 1; }
    location /lb_status { lb_status; }
  }
}
`,
  });
  onTestFinished(async () => void (await proxy.stop()));
  const before = workerPids(proxy);

  for (let round = 0; round < ROUNDS; round++) {
    const clients = await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, () => RawClient.connect({ port })));
    clients.forEach((client, i) => {
      const body = i % 2 === 0 ? '' : 'body';
      const method = body === '' ? 'GET' : 'POST';
      client.send(
        `${method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    });
    const endings = await Promise.all(clients.map((client) => client.untilClosed(10_000)));
    expect(endings, `seed ${SEED}, round ${round}`).not.toContain('open');
    for (const client of clients) client.close();
  }

  const exits = proxy
    .errorLog()
    .split('\n')
    .filter((line) => line.includes(' exited '));
  expect(exits, `seed ${SEED}\n${proxy.stderr}`).toEqual([]);
  expect(workerPids(proxy)).toEqual(before);
  expect(proxy.errorLog(), `seed ${SEED}`).not.toMatch(/\[(alert|emerg)\]/);
  const status = await RawClient.connect({ port });
  status.send('GET /lb_status HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  await status.untilClosed();
  const { upstreams } = JSON.parse(status.responses()[0]?.body ?? '') as {
    upstreams: { u: { peers: { active: number; requests: number }[] } };
  };
  expect(upstreams.u.peers[0]).toMatchObject({ active: 0 });
  expect(upstreams.u.peers[0]?.requests).toBeGreaterThanOrEqual(ROUNDS * REQUESTS_AT_ONCE);
});
