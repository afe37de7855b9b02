import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * A backend that runs as a process of its own, so that it can be killed and stopped: `node backend-program.ts NAME PORT`.
 * Answers with its name; takes its behaviour by IPC, and tells which requests (`X-Id`) it has seen.
 */

/** `reset` sends a head and a part of the body, then RST. */
export const BEHAVIOURS = ['ok', '503', 'reset'] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

export type ToBackend =
  | { readonly type: 'behave'; readonly behaviour: Behaviour; readonly delayMs: number }
  | { readonly type: 'report' };
export type FromBackend =
  | { readonly type: 'listening' }
  | { readonly type: 'behaving' }
  | { readonly type: 'report'; readonly ids: readonly string[] };

const [name = '', port = '0'] = process.argv.slice(2);
const ids: string[] = [];
let behaviour: Behaviour = 'ok';
let delayMs = 0;

const tell = (message: FromBackend): void => void process.send?.(message);

function answer(request: IncomingMessage, response: ServerResponse): void {
  if (behaviour === 'ok') {
    response.writeHead(200, { 'Content-Length': name.length, 'X-Id': request.headers['x-id'] ?? '' }).end(name);
  } else if (behaviour === '503') {
    response.writeHead(503, { 'Content-Length': 0 }).end();
  } else {
    response.writeHead(200, { 'Content-Length': 1000 }).write(name);
    // Not in the same segment as the head.
    setTimeout(() => response.socket?.resetAndDestroy(), 5);
  }
}

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  ids.push(String(request.headers['x-id'] ?? ''));
  request.resume();
  request.once('end', () => {
    if (delayMs > 0) setTimeout(answer, delayMs, request, response);
    else answer(request, response);
  });
});

server.on('upgrade', (_request: IncomingMessage, socket: Duplex) => {
  socket.on('error', () => socket.destroy());
  socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  socket.pipe(socket);
});

process.on('message', (message: ToBackend) => {
  if (message.type === 'report') {
    tell({ type: 'report', ids });
    return;
  }
  behaviour = message.behaviour;
  delayMs = message.delayMs;
  tell({ type: 'behaving' });
});
process.once('disconnect', () => process.exit(0));
server.listen(Number(port), '127.0.0.1', () => tell({ type: 'listening' }));
