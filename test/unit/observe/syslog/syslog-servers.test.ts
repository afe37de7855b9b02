import { rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MAX_WAITING_BYTES } from '../../../../src/observe/syslog/datagram-sender.ts';
import { SyslogServers } from '../../../../src/observe/syslog/syslog-servers.ts';
import type { SyslogAddress, SyslogSettings } from '../../../../src/observe/syslog/syslog-settings.ts';
import { UdpSender } from '../../../../src/observe/syslog/udp-sender.ts';
import { whyNoUnixDatagrams } from '../../../../src/observe/syslog/unix-datagram.ts';
import { UnixSender } from '../../../../src/observe/syslog/unix-sender.ts';
import { poll } from '../../../support/deadline.ts';
import { type SyslogReceiver, udpReceiver, unixReceiver } from '../../../support/syslog-receiver.ts';
import { tempFolder } from '../../../support/temp-folder.ts';

let folder = '';
const receivers: SyslogReceiver[] = [];
beforeEach(() => {
  folder = tempFolder('syslog');
});
afterEach(async () => {
  vi.useRealTimers();
  for (const receiver of receivers.splice(0)) await receiver.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function udp(port = 0): Promise<SyslogReceiver> {
  const receiver = await udpReceiver(port);
  receivers.push(receiver);
  return receiver;
}

function unix(path: string): ReturnType<typeof unixReceiver> {
  const receiver = unixReceiver(path);
  receivers.push(receiver);
  return receiver;
}

const addressOf = ({ address }: SyslogReceiver): SyslogAddress => {
  const [host = '', port = ''] = address.split(':');
  return { kind: 'udp', host, port: Number(port), family: 4 };
};
const settings = (address: SyslogAddress, more: Partial<SyslogSettings> = {}): SyslogSettings => ({
  address,
  facility: 23,
  severity: 6,
  tag: 'nginx',
  hasHostname: true,
  ...more,
});

const text = (of: string): Buffer => Buffer.from(of, 'latin1');

test('a line has priority, time, host, tag and text', async () => {
  const receiver = await udp();
  const servers = new SyslogServers();
  servers.open(settings(addressOf(receiver))).write('all \xe9 bytes');
  servers.open(settings(addressOf(receiver), { hasHostname: false, tag: 't' })).write('more', 2);
  await receiver.until(/more/);
  const time = '[A-Z][a-z]{2} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d';
  expect(receiver.messages).toHaveLength(2);
  expect(receiver.messages[0]).toMatch(new RegExp(`^<190>${time} ${hostname().toLowerCase()} nginx: all \xe9 bytes$`));
  expect(receiver.messages[1]).toMatch(new RegExp(`^<186>${time} t: more$`));
  servers.begin();
  servers.commit();
});

test('a server that is down is spoken of once a minute, with the number of lines lost', async () => {
  const gone = await udpReceiver();
  await gone.stop();
  const servers = new SyslogServers();
  const said: string[] = [];
  servers.onTrouble = (line) => said.push(line);
  const log = servers.open(settings(addressOf(gone)));
  await poll(() => {
    log.write('x');
    return said.length > 0 ? true : undefined;
  }, 5000);
  for (let i = 0; i < 100; i++) log.write('x');
  await new Promise((resolve) => setImmediate(resolve));
  expect(said).toEqual([
    `send() failed (111: Connection refused) while logging to syslog, server: ${gone.address}, lines lost: 1`,
  ]);
  servers.begin();
  servers.commit();
});

describe('by UDP', () => {
  test('what the network does not take is bounded, and lost', async () => {
    const receiver = await udp();
    let lost = 0;
    const sender = new UdpSender(addressOf(receiver) as never, () => lost++);
    const message = Buffer.alloc(10_000);
    for (let i = 0; i < 100; i++) sender.send(message);
    expect(lost).toBe(100 - Math.floor(MAX_WAITING_BYTES / message.length));
    sender.retire();
  });

  test('a retired socket closes, and a late message opens one again', async () => {
    const receiver = await udp();
    const sender = new UdpSender(addressOf(receiver) as never, () => undefined);
    sender.send(text('one'));
    sender.retire();
    await receiver.until(/one/);
    sender.send(text('two'));
    expect(await receiver.until(/two/)).toBe('two');
  });

  test('a message that is too long is lost alone', async () => {
    const receiver = await udp();
    const why: string[] = [];
    const sender = new UdpSender(addressOf(receiver) as never, (reason) => why.push(reason));
    sender.send(Buffer.alloc(70_000));
    sender.send(text('next'));
    expect(await receiver.until(/next/)).toBe('next');
    expect(why).toHaveLength(1);
    sender.retire();
  });
});

describe.skipIf(whyNoUnixDatagrams() !== null)('by unix datagrams', () => {
  test('a server that is not there is looked for once a second', async () => {
    const path = join(folder, 'log');
    const why: string[] = [];
    let now = 0;
    const sender = new UnixSender(
      path,
      (reason) => why.push(reason),
      () => now,
    );
    sender.send(text('one'));
    expect(why).toEqual(['2: No such file or directory']);
    const receiver = unix(path);
    sender.send(text('two'));
    expect(why).toHaveLength(2);
    now = 1000;
    sender.send(text('three'));
    expect(await receiver.until(/./)).toBe('three');
    sender.retire();
  });

  test('a server that was started anew is found at once', async () => {
    const path = join(folder, 'log');
    const why: string[] = [];
    const first = unixReceiver(path);
    const sender = new UnixSender(path, (reason) => why.push(reason));
    sender.send(text('one'));
    expect(await first.until(/one/)).toBe('one');
    await first.stop();
    const second = unix(path);
    sender.send(text('two'));
    expect(await second.until(/two/)).toBe('two');
    expect(why).toEqual([]);
    sender.retire();
  });

  test('a server that does not read: lines are kept within bounds, and come in order', async () => {
    const receiver = unix(join(folder, 'log'));
    let lost = 0;
    const sender = new UnixSender(join(folder, 'log'), () => lost++);
    const count = 4000;
    for (let i = 0; i < count; i++) sender.send(text(String(i).padEnd(1000)));
    expect(lost).toBeGreaterThan(0);
    const kept = count - lost;
    await poll(() => {
      receiver.take();
      return receiver.messages.length === kept ? true : undefined;
    }, 5000);
    expect(receiver.messages.map((message) => Number(message))).toEqual(Array.from({ length: kept }, (_, i) => i));
    sender.send(text('last'));
    expect(await receiver.until(/last/)).toBe('last');
    sender.retire();
  });
});
