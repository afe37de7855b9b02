// The npm package http-proxy as people deploy it: one keep-alive agent, targets by round robin.
// Usage: node http-proxy.ts PORT BACKEND_PORT...
import { Agent, createServer } from 'node:http';
import httpProxy from 'http-proxy';

const [port, ...backendPorts] = process.argv.slice(2).map(Number);
const targets = backendPorts.map((backendPort) => `http://127.0.0.1:${backendPort}`);
const proxy = httpProxy.createProxyServer({ agent: new Agent({ keepAlive: true }), xfwd: true });
let turn = 0;

proxy.on('error', (_error, _request, response) => {
  if ('writeHead' in response && !response.headersSent) response.writeHead(502);
  response.end();
});
createServer((request, response) => {
  turn = (turn + 1) % targets.length;
  proxy.web(request, response, { target: targets[turn] ?? '' });
}).listen({ port, host: '127.0.0.1', backlog: 4096 });
