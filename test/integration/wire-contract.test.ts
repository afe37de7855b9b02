import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Acceptor } from '../../src/net/acceptor.ts';
import { connectWire } from '../../src/net/connector.ts';
import { fastLayerWorks } from '../../src/net/fast-layer-check.ts';
import type { Wire } from '../../src/net/wire.ts';
import { WireListener } from '../support/wire-listener.ts';

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

async function accepted(isFast: boolean): Promise<{ wire: Wire; heard: WireListener; client: Socket }> {
  const heard = new WireListener();
  let wire: Wire | null = null;
  let tell: () => void = () => undefined;
  const arrival = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const acceptor = new Acceptor(
    {
      isTls: () => false,
      onSocket: () => undefined,
      onWire: (accepted) => {
        wire = accepted;
        lastAccepted = accepted;
        accepted.sink = heard;
        tell();
      },
      onAcceptError: () => undefined,
    },
    isFast,
  );
  await acceptor.listen({ host: '127.0.0.1', port: 0 });
  const client = connect({ port: acceptor.port, host: '127.0.0.1', allowHalfOpen: true });
  client.on('error', () => undefined);
  cleanUps.push(() => {
    acceptor.close();
    client.destroy();
    wire?.destroy();
  });
  await Promise.all([once(client, 'connect'), arrival]);
  return { wire: wire as unknown as Wire, heard, client };
}

/** The peer's end of the connection made last: every acceptor here notes it. */
let lastAccepted: Wire | null = null;

const LARGE = Buffer.alloc(8 << 20, 'x');

describe.each([
  ['public sockets', false],
  ['the fast layer', true],
])('wires of %s', (_name, isFast) => {
  it('carry bytes both ways', async () => {
    const { wire, heard, client } = await accepted(isFast);
    client.write('ping');
    await heard.until((listener) => listener.text === 'ping');
    expect(wire.write(Buffer.from('pong'))).toBe(true);
    expect(wire.pendingBytes).toBe(0);
    const [chunk] = await once(client, 'data');
    expect(String(chunk)).toBe('pong');
    expect([wire.remoteAddress, wire.localAddress]).toEqual(['127.0.0.1', '127.0.0.1']);
    expect(wire.remotePort).toBe(client.localPort);
  });

  it('say when the kernel is behind, and when it has caught up', async () => {
    const { wire, heard, client } = await accepted(isFast);
    let isTaken = wire.write(LARGE);
    expect(isTaken).toBe(false);
    isTaken = wire.write(Buffer.from('end'));
    expect(isTaken).toBe(false);
    expect(wire.pendingBytes).toBeGreaterThan(0);
    let received = 0;
    client.on('data', (chunk) => {
      received += chunk.length;
    });
    await heard.until((listener) => listener.events.includes('drain'));
    expect(wire.pendingBytes).toBe(0);
    wire.end();
    await once(client, 'end');
    expect(received).toBe(LARGE.length + 3);
    expect(heard.events.filter((event) => event === 'drain')).toHaveLength(1);
  });

  it('go on writing after the other side sent FIN', async () => {
    const { wire, heard, client } = await accepted(isFast);
    client.end('bye');
    await heard.until((listener) => listener.events.includes('fin'));
    expect(heard.text).toBe('bye');
    wire.write(Buffer.from('still here'));
    wire.endAndClose();
    const [chunk] = await once(client, 'data');
    expect(String(chunk)).toBe('still here');
    await heard.until((listener) => listener.events.includes('close well'));
  });

  it('send what is queued before they close', async () => {
    const { wire, heard, client } = await accepted(isFast);
    wire.write(LARGE);
    wire.endAndClose();
    let received = 0;
    client.on('data', (chunk) => {
      received += chunk.length;
    });
    client.on('end', () => client.end());
    await heard.until((listener) => listener.events.some((event) => event.startsWith('close')));
    await once(client, 'close');
    expect(received).toBe(LARGE.length);
  });

  it('keep still while paused', async () => {
    const { wire, heard, client } = await accepted(isFast);
    client.write('one');
    await heard.until((listener) => listener.text === 'one');
    wire.pause();
    client.write('two');
    await once(client.setTimeout(50), 'timeout');
    expect(heard.text).toBe('one');
    wire.resume();
    await heard.until((listener) => listener.text === 'onetwo');
  });

  it('tell of a reset, once', async () => {
    const { heard, client } = await accepted(isFast);
    client.resetAndDestroy();
    await heard.until((listener) => listener.events.length > 0);
    expect(heard.events.at(-1)).toBe('close ECONNRESET');
    expect(heard.events.filter((event) => event.startsWith('close'))).toHaveLength(1);
  });

  it('reset', async () => {
    const { wire, client } = await accepted(isFast);
    const failed = new Promise<string>((resolve) =>
      client.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? '')),
    );
    let hasEnded = false;
    client.on('end', () => {
      hasEnded = true;
    });
    wire.reset();
    expect(await failed).toBe('ECONNRESET');
    expect(hasEnded).toBe(false);
    expect(wire.isDestroyed).toBe(true);
    expect(wire.write(Buffer.from('x'))).toBe(true);
  });

  it('reset at once, whatever the client has not read yet', async () => {
    const { wire, client } = await accepted(isFast);
    client.pause();
    const failed = new Promise<string>((resolve) =>
      client.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? '')),
    );
    for (let i = 0; wire.pendingBytes === 0 && i < 1000; i++) wire.write(Buffer.alloc(65_536));
    expect(wire.pendingBytes).toBeGreaterThan(0);
    wire.reset();
    client.resume();
    expect(await failed).toBe('ECONNRESET');
  });

  it('connect out, and keep a buffer that was detached', async () => {
    const { client, heard } = await accepted(isFast);
    const port = client.remotePort as number;
    const views: Buffer[] = [];
    const done = new Promise<void>((resolve, reject) => {
      connectWire(
        { host: '127.0.0.1', port },
        { localAddress: null, localPort: 0, isKeepAlive: false, tls: null, isFast },
        {
          onConnected: (wire) => {
            cleanUps.push(() => wire.destroy());
            wire.sink = {
              onBytes: (buffer, length) => {
                views.push(buffer.subarray(0, length));
                if (views.length === 1) expect(wire.detachBuffer()).toBe(true);
                wire.write(Buffer.from('more'));
                if (views.length === 2) resolve();
              },
              onFin: () => undefined,
              onDrain: () => undefined,
              onClose: () => undefined,
            };
            heard.onBytes = () => lastAccepted?.write(Buffer.from(`part ${views.length + 1}`));
            wire.write(Buffer.from('hello'));
          },
          onHandshake: () => undefined,
          onHandshakeError: () => undefined,
          onConnectError: reject,
        },
      );
    });
    await done;
    expect(views.map(String)).toEqual(['part 1', 'part 2']);
  });

  it('report a refused connection', async () => {
    const { client, wire } = await accepted(isFast);
    const port = client.remotePort as number;
    for (const cleanUp of cleanUps.splice(0)) cleanUp();
    wire.destroy();
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => {
      connectWire(
        { host: '127.0.0.1', port },
        { localAddress: null, localPort: 0, isKeepAlive: false, tls: null, isFast },
        {
          onConnected: () => undefined,
          onHandshake: () => undefined,
          onHandshakeError: () => undefined,
          onConnectError: resolve,
        },
      );
    });
    expect(error.code).toBe('ECONNREFUSED');
  });
});

it('the fast layer works on this Node', async () => {
  expect(await fastLayerWorks()).toBe(true);
});
