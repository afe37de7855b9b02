import { createServer } from 'node:net';

/** Below Linux' ephemeral range, so that no outgoing connection of anybody holds one of these as its own port. */
const FIRST = 12_000;
const LAST = 31_999;

const given = new Set<number>();

/**
 * A TCP port that nobody listens on, on any local address. Every call of one process gives another one; between processes
 * the draw is random over 20,000 ports and each is tried by binding it.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1));
    if (given.has(port)) continue;
    if (!(await isFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error('no free port found in 200 attempts');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '0.0.0.0', exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
