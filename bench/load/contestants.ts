import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ChildServer, freePorts, startServer } from './child-server.ts';
import { nginxPaths, proxyConf } from './nginx-conf.ts';

/** A proxy that takes part. */
export interface ContestantDef {
  readonly name: string;
  /** Null: not installed here. */
  version(): string | null;
  /** Starts it on `port` in front of the backend. Throws with the reason when it does not come up. */
  start(port: number, backendPorts: readonly number[], folder: string): Promise<ChildServer>;
}

/** A contestant that is up. */
export interface Contestant {
  readonly name: string;
  readonly version: string;
  readonly port: number;
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
    start: (port, backendPorts) =>
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
  start(port, backendPorts, folder) {
    const conf = proxyConf({ listenPort: port, backendPorts, folder, name: 'nginx', httpLines: nginxPaths(folder) });
    writeFileSync(join(folder, 'nginx.conf'), conf);
    return startServer('nginx', ['-p', folder, '-c', 'nginx.conf', '-e', 'nginx.log'], ready(port));
  },
};

const haproxy: ContestantDef = {
  name: 'haproxy',
  version: () => programVersion('haproxy', ['-v']),
  start(port, backendPorts, folder) {
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
  bind 127.0.0.1:${port} backlog 4096
  default_backend out
backend out
  balance roundrobin
  http-request set-header X-Real-IP %[src]
${servers}
`,
    );
    return startServer('haproxy', ['-db', '-f', join(folder, 'haproxy.cfg')], ready(port));
  },
};

const evenkeel: ContestantDef = {
  name: 'evenkeel',
  version: () => JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version,
  start(port, backendPorts, folder) {
    writeFileSync(
      join(folder, 'evenkeel.conf'),
      proxyConf({ listenPort: port, backendPorts, folder, name: 'evenkeel' }),
    );
    const args = ['-p', `${folder}/`, '-c', 'evenkeel.conf', '-e', 'evenkeel.log'];
    return startServer(process.execPath, [join(root, 'src/cli/main.ts'), ...args], ready(port));
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
    const [port = 0] = await freePorts(1);
    try {
      started.push({ name: def.name, version, port, server: await def.start(port, backendPorts, folder) });
      console.error(`  ${def.name} ${version}: up on port ${port}`);
    } catch (error) {
      console.error(
        `  ${def.name} ${version}: skipped: it did not start: ${error instanceof Error ? error.message : error}`,
      );
    }
  }
}
