import { expect, test } from 'vitest';
import { workerPids } from '../process/ask.ts';
import { openFiles } from '../support/process-facts.ts';
import type { RawClient } from '../support/raw-client.ts';
import { CLOSE, HANG, KEEP, RESET, type ScriptStep } from '../support/scripted-backend.ts';
import { get, OneBackend, statuses } from './one-backend.ts';

const CONNECTIONS = 250;
const AT_ONCE = 25;

/** The same numbers in every run (xorshift). */
class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** 0 … sides - 1. */
  roll(sides: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % sides;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.roll(from.length)] as T;
  }
}

const REQUESTS = [
  'GET / HTTP/1.1\r\nHost: t\r\n\r\n',
  'POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello',
  'POST /b HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nT: u\r\n\r\n',
  'GET /c HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nbytes',
  'POST /d HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc',
  'HEAD /e HTTP/1.0\r\n\r\n',
  'GET /f HTTP/1.1\r\nHost: t\r\nRange: bytes=1-2\r\nConnection: close\r\n\r\n',
];
const RESPONSES = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nT: u\r\n\r\n',
  'HTTP/1.1 200 OK\r\n\r\nuntil the end',
  'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nbytes',
  'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n',
  'HTTP/1.1 302 Found\r\nLocation: http://u/x\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n',
];
const BITS = [
  '\0',
  '\r',
  '\n',
  '\r\n',
  '\r\n\r\n',
  ' ',
  '\t',
  ':',
  ',',
  ';',
  '=',
  '%00',
  '0',
  'ffffffff',
  '-1',
  '\xff',
  'chunked',
  'x'.repeat(5000),
];

/** Whole, cut short, with bits put in, bits taken out, or twice. */
function mutate(text: string, dice: Dice): string {
  let out = text;
  for (let i = dice.roll(4); i > 0; i--) {
    const at = dice.roll(out.length + 1);
    switch (dice.roll(5)) {
      case 0:
        out = out.slice(0, at) + dice.pick(BITS) + out.slice(at);
        break;
      case 1:
        out = out.slice(0, at) + out.slice(at + 1 + dice.roll(8));
        break;
      case 2:
        out = out.slice(0, at);
        break;
      case 3:
        out = out.slice(0, at) + out.slice(dice.roll(at + 1));
        break;
      default:
        out = out + out;
    }
  }
  return out;
}

for (const seed of [1, 4711, 123_456_789]) {
  test(`whatever both sides send, the worker lives and nothing is left open (seed ${seed})`, async () => {
    const dice = new Dice(seed);
    const script = (): ScriptStep[] => {
      const text = mutate(dice.pick(RESPONSES), dice);
      const at = dice.roll(text.length + 1);
      return [text.slice(0, at), text.slice(at), dice.pick([KEEP, CLOSE, RESET, HANG, KEEP])];
    };
    let isOver = false;
    const site = await OneBackend.start(() => (isOver ? 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' : script()), {
      peer: 'max_fails=0',
      server: `client_header_timeout 300ms; client_body_timeout 300ms; send_timeout 300ms; keepalive_timeout 300ms; lingering_timeout 100ms;
        lingering_time 300ms;`,
      location: `proxy_read_timeout 300ms; proxy_send_timeout 300ms; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $http_connection; ${seed % 2 === 0 ? 'proxy_buffering off; proxy_request_buffering off;' : ''}`,
      upstream: 'keepalive 8;',
    });
    const { workerPid } = site;
    const filesBefore = openFiles(workerPid).length;

    const one = async (): Promise<void> => {
      const client: RawClient = await site.connect();
      const bytes = mutate(dice.pick(REQUESTS), dice) + (dice.roll(3) === 0 ? mutate(dice.pick(REQUESTS), dice) : '');
      const at = dice.roll(bytes.length + 1);
      client.send(bytes.slice(0, at));
      client.send(bytes.slice(at));
      const end = dice.roll(4);
      if (end === 0) client.reset();
      else if (end === 1) client.leave();
      else expect(await client.untilClosed(10_000)).not.toBe('open');
      client.close();
    };
    for (let done = 0; done < CONNECTIONS; done += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, one));

    isOver = true;
    const client = await site.ask(get());
    expect(statuses(client)).toEqual([200]);
    client.close();
    expect(await site.activeAtPeer()).toBe(0);
    expect(workerPids(site.proxy)).toEqual([workerPid]);
    expect(site.proxy.errorLog()).not.toMatch(/\[(alert|crit|emerg)\]/);
    // At most the idle connections to the peer are more than before.
    await expect.poll(() => openFiles(workerPid).length, { timeout: 5000 }).toBeLessThanOrEqual(filesBefore + 8);
  });
}
