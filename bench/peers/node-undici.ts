// node:http in front, undici's stream() behind: the straightforward modern proxy in Node.
// Usage: node node-undici.ts PORT BACKEND_PORT...
import { createServer } from 'node:http';
import { type Dispatcher, Pool } from 'undici';

const [port, ...backendPorts] = process.argv.slice(2).map(Number);
const pools = backendPorts.map((backendPort) => new Pool(`http://127.0.0.1:${backendPort}`, { connections: null }));
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'transfer-encoding', 'upgrade']);
let turn = 0;

createServer((request, response) => {
  turn = (turn + 1) % pools.length;
  const headers: string[] = ['x-real-ip', request.socket.remoteAddress ?? ''];
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    const name = request.rawHeaders[i] ?? '';
    if (!HOP_BY_HOP.has(name.toLowerCase())) headers.push(name, request.rawHeaders[i + 1] ?? '');
  }
  const hasBody = request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
  const method = (request.method ?? 'GET') as Dispatcher.HttpMethod;
  pools[turn]
    ?.stream(
      { method, path: request.url ?? '/', headers, body: hasBody ? request : null },
      ({ statusCode, headers: answered }) => {
        for (const name of HOP_BY_HOP) delete answered[name];
        return response.writeHead(statusCode, answered);
      },
    )
    .catch(() => {
      if (!response.headersSent) response.writeHead(502);
      response.end();
    });
}).listen({ port, host: '127.0.0.1', backlog: 4096 });
