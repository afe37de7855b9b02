/** The program of one backend of `evenkeel demo`: `demo-backend NAME PORT`; tells its port by IPC. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const [name = 'backend', port = '0'] = process.argv.slice(2);

const server = createServer((request, response) => {
  const failing = new URL(request.url ?? '/', 'http://demo').searchParams.get('fail');
  const status = failing === name ? 503 : 200;
  // Read the body whole before the answer, so that the connection can be used again.
  request.resume().once('end', () => {
    response.writeHead(status, { 'Content-Type': 'text/plain', 'X-Backend': name });
    response.end(`${name} (pid ${process.pid}) answers ${request.method} ${request.url} with ${status}\n`);
  });
});

server.listen(Number(port), '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
// The demo ends: so does this.
process.on('disconnect', () => process.exit(0));
// Ctrl-C in the terminal reaches every process of the demo: the balancer may still be answering.
process.on('SIGINT', () => undefined);
