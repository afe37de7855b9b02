import { type AddressInfo, createServer, type Server } from 'node:net';
import { connect, createSecureContext, TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TicketKeyRing } from '../../src/net/tls-sessions/ticket-key-ring.ts';
import { installTicketKeys } from '../../src/net/tls-sessions/ticket-keys.ts';
import { makeCertificate } from '../support/certificates.ts';

const PAIR = makeCertificate('site');

let server: Server;
let ring: TicketKeyRing;

beforeEach(async () => {
  ring = new TicketKeyRing();
  const secureContext = createSecureContext({ ...PAIR, sessionIdContext: 'test' });
  installTicketKeys(secureContext, () => ring.keys);
  server = createServer((raw) => {
    const socket = new TLSSocket(raw, { isServer: true, secureContext });
    socket.on('error', () => undefined);
    socket.once('secure', () => socket.end('hello'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(() => void server.close());

interface Visit {
  readonly isReused: boolean;
  readonly session: Buffer | undefined;
}

function visit(maxVersion: 'TLSv1.2' | 'TLSv1.3', session?: Buffer): Promise<Visit> {
  return new Promise((resolve, reject) => {
    const { port } = server.address() as AddressInfo;
    const socket = connect({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      maxVersion,
      ...(session && { session }),
    });
    let latest: Buffer | undefined;
    socket.on('session', (bytes) => {
      latest = bytes;
    });
    let isReused = false;
    socket.once('secureConnect', () => {
      isReused = socket.isSessionReused();
    });
    socket.resume();
    socket.once('error', reject);
    socket.once('close', () => resolve({ isReused, session: latest }));
  });
}

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('%s', (version) => {
  test('tickets of a key are understood over two rotations of it', async () => {
    const { session } = await visit(version);
    for (const isReused of [true, true, true, false]) {
      expect((await visit(version, session)).isReused).toBe(isReused);
      ring.rotate();
    }
  });
});

test('a client that comes back now and then resumes forever', async () => {
  let { session } = await visit('TLSv1.3');
  for (let i = 0; i < 8; i++) {
    ring.rotate();
    const next = await visit('TLSv1.3', session);
    expect(next.isReused).toBe(true);
    session = next.session;
  }
});

test('keys that another process has sent', async () => {
  const { session } = await visit('TLSv1.3');
  const other = new TicketKeyRing();
  other.take(ring.texts);
  ring = other;
  expect((await visit('TLSv1.3', session)).isReused).toBe(true);
  ring = new TicketKeyRing();
  expect((await visit('TLSv1.3', session)).isReused).toBe(false);
});
