import { randomBytes } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { acceptFast, streamWrap } from './fast-wire.ts';

const PATIENCE_MS = 2000;
const PROBE = 'even keel';

/**
 * Tries the fast layer on one real connection (an abstract unix socket, nothing in the file system): accept, read, write, orderly end.
 * Resolves false, never rejects, when anything is not as this process's Node was expected to have it.
 */
export async function fastLayerWorks(): Promise<boolean> {
  if (process.platform !== 'linux' || process.env['EVENKEEL_PUBLIC_SOCKETS'] === '1') return false;
  if (streamWrap === null) return false;
  const server = createServer();
  try {
    return await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), PATIENCE_MS);
      const settle = (works: boolean) => {
        clearTimeout(timer);
        resolve(works);
      };
      server.on('error', () => settle(false));
      server.on('connection', () => settle(false));
      server.listen({ path: `\0evenkeel-${process.pid}-${randomBytes(6).toString('hex')}`, exclusive: true }, () => {
        try {
          acceptFast(
            server,
            (wire) => {
              wire.sink = {
                onBytes: (buffer, length) => {
                  if (!wire.write(Buffer.from(buffer.subarray(0, length)))) settle(false);
                },
                onFin: () => wire.endAndClose(),
                onDrain: () => settle(false),
                onClose: () => undefined,
              };
            },
            () => settle(false),
          );
        } catch {
          // Internals that are not there at all: the same verdict as internals that misbehave.
          settle(false);
          return;
        }
        let echo = '';
        const client = connect({ path: server.address() as string });
        client.on('connect', () => client.end(PROBE));
        client.on('data', (chunk) => {
          echo += chunk.toString('latin1');
        });
        client.on('error', () => settle(false));
        client.on('close', () => settle(echo === PROBE));
      });
    });
  } finally {
    server.close();
  }
}
