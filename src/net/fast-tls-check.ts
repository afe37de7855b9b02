import { randomBytes } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { connect, createSecureContext, TLSSocket } from 'node:tls';
import { FastTlsWire } from './fast-tls-wire.ts';
import { streamWrap } from './fast-wire.ts';

const PATIENCE_MS = 2000;
const FIRST = 'even';
const SECOND = ' keel';
/** A shared key in place of a certificate: nothing else is as quick to make. */
const PRE_SHARED = { ciphers: 'PSK-AES128-GCM-SHA256', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;

let isProven = false;
let proof: Promise<void> | null = null;

/** Finds out, once in a process, whether the fast layer's TLS socket works here. */
export function proveFastTls(): Promise<void> {
  proof ??= fastTlsWorks().then((works) => {
    isProven = works;
  });
  return proof;
}

/** Whether it does. False until that is known, which somebody who asks sets in motion. */
export function fastTlsIsProven(): boolean {
  if (proof === null) void proveFastTls();
  return isProven;
}

/**
 * Tries the fast layer's TLS socket on one real connection: handshake, read, two writes in one turn, orderly end.
 * Resolves false, never rejects, when anything is not as this process's Node was expected to have it.
 */
export async function fastTlsWorks(): Promise<boolean> {
  if (streamWrap === null) return false;
  const psk = randomBytes(16);
  const server = createServer({ allowHalfOpen: true });
  try {
    return await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => settle(false), PATIENCE_MS);
      const settle = (works: boolean): void => {
        clearTimeout(timer);
        resolve(works);
      };
      server.on('error', () => settle(false));
      server.on('connection', (raw: Socket) => {
        const tls = new TLSSocket(raw, {
          isServer: true,
          secureContext: createSecureContext(PRE_SHARED),
          // In Node's documentation of tls.createServer; TLSSocket takes it too.
          pskCallback: () => psk,
        } as ConstructorParameters<typeof TLSSocket>[1]);
        const wire = new FastTlsWire(tls);
        wire.sink = {
          onBytes: (buffer, length) => {
            wire.write(Buffer.from(buffer.subarray(0, length)));
            wire.write(Buffer.from(SECOND));
          },
          onFin: () => wire.endAndClose(),
          onDrain: () => undefined,
          onClose: () => undefined,
        };
        tls.once('secure', () => {
          try {
            wire.readDirectly();
          } catch {
            settle(false); // internals that are not there at all
          }
        });
      });
      server.listen(
        { path: `\0evenkeel-tls-${process.pid}-${randomBytes(6).toString('hex')}`, exclusive: true },
        () => {
          let echo = '';
          const client = connect({
            path: server.address() as string,
            ...PRE_SHARED,
            pskCallback: () => ({ psk, identity: 'self-test' }),
            checkServerIdentity: () => undefined,
          });
          client.on('secureConnect', () => client.end(FIRST));
          client.on('data', (chunk) => {
            echo += chunk.toString('latin1');
          });
          client.on('error', () => settle(false));
          client.on('close', () => settle(echo === FIRST + SECOND));
        },
      );
    });
  } finally {
    server.close();
  }
}
