import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ChildServer, freePorts, startServer } from './child-server.ts';
import { nginxPaths } from './nginx-conf.ts';

/** What every contestant balances over: one fast process behind three ports. */
export interface Backend {
  readonly ports: readonly number[];
  readonly server: ChildServer;
}

/** About 16 KB of JSON, of which gzip makes a sixth or so. */
const RECORDS = JSON.stringify(
  Array.from({ length: 160 }, (_, i) => ({
    id: i * 7919,
    name: `customer ${(i * 2654435761) % 99991}`,
    active: i % 3 === 0,
    balance: (i * 48271) % 65537,
    tags: ['alpha', 'beta'],
  })),
);
const BODIES = { '16k': 16 << 10, '256k': 256 << 10, '4m': 4 << 20 };

/** nginx with fixed answers: the cheapest HTTP server at hand, so that the proxy in front of it is what is measured. */
export async function startBackend(folder: string): Promise<Backend> {
  const ports = await freePorts(3);
  mkdirSync(join(folder, 'www'), { recursive: true });
  for (const [name, bytes] of Object.entries(BODIES))
    writeFileSync(join(folder, 'www', name), Buffer.alloc(bytes, 'x'));
  writeFileSync(join(folder, 'www', 'json'), RECORDS);
  const conf = `
daemon off;
worker_processes 1;
pid ${folder}/backend.pid;
error_log ${folder}/backend.log crit;
events { worker_connections 8192; }
http {
  ${nginxPaths(folder)}
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 3600;
  sendfile on;
  open_file_cache max=16;
  server {
    ${ports.map((port) => `listen 127.0.0.1:${port} backlog=4096;`).join('\n    ')}
    root ${folder}/www;
    client_max_body_size 0;
    location = /json { default_type application/json; }
    location = /small { default_type text/plain; return 200 "Hello from the backend of the benchmark.\\n"; }
  }
}
`;
  writeFileSync(join(folder, 'backend.conf'), conf);
  const args = ['-p', folder, '-c', 'backend.conf', '-e', 'backend.log'];
  return { ports, server: await startServer('nginx', args, `http://127.0.0.1:${ports[0]}/small`) };
}
