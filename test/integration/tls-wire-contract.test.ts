import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { connect, createSecureContext, TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { fastTlsWorks } from '../../src/net/fast-tls-check.ts';
import { FastTlsWire } from '../../src/net/fast-tls-wire.ts';
import { readByEvents, SocketWire } from '../../src/net/socket-wire.ts';
import type { Wire } from '../../src/net/wire.ts';
import { BATCHED } from '../../src/net/write-batch.ts';
import { makeCertificate } from '../support/certificates.ts';
import { WireListener } from '../support/wire-listener.ts';

const PAIR = makeCertificate('wire');
const secureContext = createSecureContext({ cert: PAIR.cert, key: PAIR.key });
const LARGE = Buffer.alloc(8 << 20, 'x');

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

interface Pair {
  readonly wire: Wire;
  readonly heard: WireListener;
  readonly client: TLSSocket;
}

async function accepted(isFast: boolean): Promise<Pair> {
  const heard = new WireListener();
  let wire: Wire | null = null;
  const server: Server = createServer({ allowHalfOpen: true }, (raw: Socket) => {
    const tls = new TLSSocket(raw, { isServer: true, secureContext, ALPNProtocols: ['http/1.1'] });
    const inner = isFast ? new FastTlsWire(tls) : new SocketWire(tls);
    inner.sink = heard;
    tls.once('secure', () => {
      if (inner instanceof FastTlsWire) inner.readDirectly();
      else readByEvents(tls, inner);
      wire = inner;
      heard.told();
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as { port: number };
  const client = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, allowHalfOpen: true } as object);
  client.on('error', () => undefined);
  cleanUps.push(() => {
    server.close();
    client.destroy();
    wire?.destroy();
  });
  await Promise.all([once(client, 'secureConnect'), heard.until(() => wire !== null)]);
  return { wire: wire as unknown as Wire, heard, client };
}

/** All that the client gets until the end of the stream. */
async function allOf(client: TLSSocket): Promise<string> {
  let text = '';
  for await (const chunk of client) text += (chunk as Buffer).toString('latin1');
  return text;
}

it("the fast layer's TLS socket works on this Node", async () => {
  expect(await fastTlsWorks()).toBe(true);
});

describe.each([
  ['public sockets', false],
  ['the fast layer', true],
])('TLS wires of %s', (_name, isFast) => {
  it('carry bytes both ways', async () => {
    const { wire, heard, client } = await accepted(isFast);
    client.write('ping');
    await heard.until(() => heard.text === 'ping');
    wire.write(Buffer.from('pong'));
    const [chunk] = await once(client, 'data');
    expect(String(chunk)).toBe('pong');
  });

  it('send what is written in one turn, and while a write is under way, in order', async () => {
    const { wire, client } = await accepted(isFast);
    for (let i = 0; i < 50; i++) wire.write(Buffer.from(`${i} `));
    await new Promise(setImmediate);
    for (let i = 50; i < 100; i++) {
      if (i % 10 === 0) wire.writeSoon(Buffer.from(`${i} `));
      else wire.write(Buffer.from(`${i} `));
    }
    wire.end();
    expect(await allOf(client)).toBe(Array.from({ length: 100 }, (_, i) => `${i} `).join(''));
  });

  it('say when the kernel is behind, and once when it has caught up', async () => {
    const { wire, heard, client } = await accepted(isFast);
    expect(wire.write(LARGE)).toBe(false);
    expect(wire.write(Buffer.from('end'))).toBe(false);
    expect(wire.pendingBytes).toBeGreaterThan(0);
    let received = 0;
    client.on('data', (chunk) => {
      received += chunk.length;
    });
    await heard.until(() => heard.events.includes('drain'));
    expect(wire.pendingBytes).toBe(0);
    wire.end();
    await once(client, 'end');
    expect(received).toBe(LARGE.length + 3);
    expect(heard.events.filter((event) => event === 'drain')).toHaveLength(1);
  });

  it('send what is queued before they close', async () => {
    const { wire, heard, client } = await accepted(isFast);
    wire.write(LARGE);
    wire.write(Buffer.from('.'));
    wire.endAndClose();
    const text = await allOf(client);
    client.end();
    expect(text.length).toBe(LARGE.length + 1);
    await heard.until(() => heard.events.some((event) => event.startsWith('close')));
  });

  it('go on writing after the other side sent FIN', async () => {
    const { wire, heard, client } = await accepted(isFast);
    client.end('bye');
    await heard.until(() => heard.events.includes('fin'));
    expect(heard.text).toBe('bye');
    wire.write(Buffer.from('still here'));
    wire.endAndClose();
    expect(await allOf(client)).toBe('still here');
    await heard.until(() => heard.events.includes('close well'));
  });

  it('lose nothing of a read in the midst of which they are paused, the end of the stream included', async () => {
    const { wire, heard, client } = await accepted(isFast);
    const sent = Array.from({ length: 12_000 }, (_, i) => `${i} `).join('');
    const { onBytes } = WireListener.prototype;
    let pauses = 0;
    heard.onBytes = (buffer, length) => {
      onBytes.call(heard, buffer, length);
      pauses++;
      wire.pause();
      setImmediate(() => wire.resume());
    };
    client.end(sent);
    await heard.until(() => heard.events.includes('fin'));
    expect(heard.text).toBe(sent);
    expect(pauses).toBeGreaterThan(1);
  });

  it('are told of a client that leaves in the midst of a write', async () => {
    const { wire, heard, client } = await accepted(isFast);
    wire.write(LARGE);
    wire.write(LARGE);
    client.destroy();
    await heard.until(() => heard.events.some((event) => event.startsWith('close')));
    expect(wire.isDestroyed).toBe(true);
    expect(wire.write(Buffer.from('x'))).toBe(true);
    expect(heard.events.filter((event) => event.startsWith('close'))).toHaveLength(1);
  });

  it('are destroyed in the midst of a write', async () => {
    const { wire, heard } = await accepted(isFast);
    wire.write(LARGE);
    wire.write(Buffer.from('queued'));
    wire.destroy();
    await heard.until(() => heard.events.includes('close well'));
    expect(heard.events).not.toContain('drain');
  });
});

describe('TLS wires of the fast layer', () => {
  it('batch: the chunk is free with the flush, behind a write under way too', async () => {
    const { wire, heard, client } = await accepted(true);
    const chunk = Buffer.from('first ');
    expect(wire.writeSoon(chunk)).toBe(BATCHED);
    await heard.until(() => heard.events.includes('drain'));
    chunk.fill('-');
    await new Promise(setImmediate);
    wire.write(LARGE);
    const behind = Buffer.from(' last');
    expect(wire.writeSoon(behind)).toBe(BATCHED);
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    behind.fill('-');
    wire.end();
    const text = await allOf(client);
    expect(text.slice(0, 6)).toBe('first ');
    expect(text.slice(-6)).toBe('x last');
  });
});
