import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ChildServer, freePorts, startServer } from './child-server.ts';
import { CERTIFICATE, nginxPaths, proxyConf } from './nginx-conf.ts';

/** A proxy that takes part. */
export interface ContestantDef {
  readonly name: string;
  /** Null: not installed here. */
  version(): string | null;
  /** Whether it takes part in TLS, HTTP/2 and gzip too. */
  readonly isComplete: boolean;
  /** Starts it in front of the backend. Throws with the reason when it does not come up. */
  start(ports: Ports, backendPorts: readonly number[], folder: string): Promise<ChildServer>;
}

/** Where a contestant listens. */
export interface Ports {
  readonly plain: number;
  readonly tls: number;
}

/** A contestant that is up. */
export interface Contestant {
  readonly name: string;
  readonly version: string;
  readonly ports: Ports;
  readonly isComplete: boolean;
  readonly server: ChildServer;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const ready = (port: number): string => `http://127.0.0.1:${port}/small`;

/** First version number in what a program says of itself. */
export function programVersion(command: string, args: readonly string[]): string | null {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0 && status !== 1) return null; // wrk -v ends with 1
  return `${stdout}${stderr}`.match(/\d+\.\d+(\.\d+)?/)?.[0] ?? null;
}

/** Version of an installed npm package. */
export function packageVersion(name: string): string {
  return JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version;
}

/** A Node script of bench/peers/, told its port and the backend's. */
function peerScript(name: string, file: string, version: () => string): ContestantDef {
  return {
    name,
    version,
    isComplete: false,
    start: ({ plain: port }, backendPorts) =>
      startServer(
        process.execPath,
        ['--no-deprecation', join(root, 'bench/peers', file), String(port), ...backendPorts.map(String)],
        ready(port),
      ),
  };
}

const nginx: ContestantDef = {
  name: 'nginx',
  version: () => programVersion('nginx', ['-v']),
  isComplete: true,
  start({ plain, tls }, backendPorts, folder) {
    const own = { listenPort: plain, tlsPort: tls, name: 'nginx', httpLines: nginxPaths(folder) };
    writeFileSync(join(folder, 'nginx.conf'), proxyConf({ ...own, backendPorts, folder }));
    return startServer('nginx', ['-p', folder, '-c', 'nginx.conf', '-e', 'nginx.log'], ready(plain));
  },
};

const haproxy: ContestantDef = {
  name: 'haproxy',
  version: () => programVersion('haproxy', ['-v']),
  isComplete: true,
  start({ plain, tls }, backendPorts, folder) {
    const servers = backendPorts.map((backend, index) => `  server s${index} 127.0.0.1:${backend}`).join('\n');
    writeFileSync(
      join(folder, 'haproxy.cfg'),
      `
global
  nbthread 1
  maxconn 8192
  tune.maxrewrite 1024
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout http-keep-alive 60s
  http-reuse always
frontend in
  bind 127.0.0.1:${plain} backlog 4096
  bind 127.0.0.1:${tls} ssl crt ${folder}/${CERTIFICATE} alpn h2,http/1.1 backlog 4096
  compression algo gzip
  compression type application/json
  default_backend out
backend out
  balance roundrobin
  http-request set-header X-Real-IP %[src]
  http-request replace-path /gzip(/.*) \\1
${servers}
`,
    );
    return startServer('haproxy', ['-db', '-f', join(folder, 'haproxy.cfg')], ready(plain));
  },
};

const evenkeel: ContestantDef = {
  name: 'evenkeel',
  version: () => JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version,
  isComplete: true,
  start({ plain, tls }, backendPorts, folder) {
    const own = { listenPort: plain, tlsPort: tls, name: 'evenkeel' };
    writeFileSync(join(folder, 'evenkeel.conf'), proxyConf({ ...own, backendPorts, folder }));
    const args = ['-p', `${folder}/`, '-c', 'evenkeel.conf', '-e', 'evenkeel.log'];
    return startServer(process.execPath, [join(root, 'src/cli/main.ts'), ...args], ready(plain));
  },
};

/** nginx first: the others are measured against it. */
export const CONTESTANTS: readonly ContestantDef[] = [
  nginx,
  evenkeel,
  haproxy,
  peerScript('node+undici', 'node-undici.ts', () => packageVersion('undici')),
  peerScript('http-proxy', 'http-proxy.ts', () => packageVersion('http-proxy')),
];

/** Starts those of `names` that can be; says of each other why not. `started` grows as they come up, so that a caller can stop them. */
export async function startContestants(
  names: readonly string[],
  backendPorts: readonly number[],
  folder: string,
  started: Contestant[],
): Promise<void> {
  for (const def of CONTESTANTS) {
    if (!names.includes(def.name)) continue;
    const version = def.version();
    if (version === null) {
      console.error(`  ${def.name}: skipped: not installed`);
      continue;
    }
    const [plain = 0, tls = 0] = await freePorts(2);
    const ports = { plain, tls };
    try {
      const server = await def.start(ports, backendPorts, folder);
      started.push({ name: def.name, version, ports, isComplete: def.isComplete, server });
      console.error(`  ${def.name} ${version}: up on port ${plain}`);
    } catch (error) {
      console.error(
        `  ${def.name} ${version}: skipped: it did not start: ${error instanceof Error ? error.message : error}`,
      );
    }
  }
}
