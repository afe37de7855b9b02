import { spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { freePort } from './free-port.ts';
import { NODE } from './program.ts';

/** A TCP port of 127.0.0.1 on which connections are neither accepted nor refused: connecting to it hangs. */
export interface UnacceptingPort {
  readonly port: number;
  stop(): void;
}

/** A stopped process holds the listening socket, and its short queue of connections is filled. */
export async function unacceptingPort(): Promise<UnacceptingPort> {
  const port = await freePort();
  const script = `require('net').createServer().listen({ port: ${port}, host: '127.0.0.1', backlog: 1 }, () => console.log('up'))`;
  const child = spawn(NODE, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    child.once('error', reject);
  });
  child.kill('SIGSTOP');

  const fillers: Socket[] = [];
  const stop = () => {
    for (const socket of fillers) socket.destroy();
    child.kill('SIGKILL');
  };
  for (let i = 0; i < 10; i++) {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', () => undefined); // it may hang or be cut off when all is over
    fillers.push(socket);
    const isIn = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      setTimeout(() => resolve(false), 100);
    });
    if (!isIn) return { port, stop };
  }
  stop();
  throw new Error(`port ${port} goes on accepting`);
}
