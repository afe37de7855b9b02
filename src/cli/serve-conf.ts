import { tmpdir } from 'node:os';
import { printWord } from '../config/print.ts';
import type { ServeFlags } from './serve-flags.ts';

/** What the demo has and a real one has not. */
export type ServeConf = Omit<ServeFlags, 'printConfig'>;

/** The flags of `serve` as nginx text: the same configuration as a file with it would give. */
export function serveConf(flags: ServeConf): string {
  const { listen, algorithm, tries, triesTimeout } = flags;
  const lines = [
    'daemon off;',
    `worker_processes ${flags.workers};`,
    `pid ${printWord(pidFile(listen))};`,
    `error_log ${printWord(flags.errorLog)} warn;`,
    '',
    'events {',
    '    worker_connections 16384;',
    '}',
    '',
    'http {',
    `    access_log ${accessLog(flags.accessLog)};`,
    '',
    '    upstream backend {',
    '        zone backend 64k;',
    ...method(algorithm, flags.hashKey),
    ...flags.backend.map((backend) => `        server ${server(backend, flags)};`),
    `        keepalive ${flags.keepalive};`,
    '    }',
    '',
    '    server {',
    ...listen.map((address) => `        listen ${printWord(address)};`),
    '        location / {',
    '            proxy_pass http://backend;',
    '            proxy_http_version 1.1;',
    // As the client named it; unlike $http_host also where an absolute target does (RFC 9112 section 3.2.2).
    '            proxy_set_header Host $host$is_request_port$request_port;',
    '            proxy_set_header X-Real-IP $remote_addr;',
    '            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;',
    '            proxy_set_header X-Forwarded-Proto $scheme;',
    '            proxy_set_header Upgrade $http_upgrade;',
    '            proxy_set_header Connection $http_connection;',
    `            proxy_connect_timeout ${flags.connectTimeout};`,
    `            proxy_read_timeout ${flags.readTimeout};`,
    `            proxy_next_upstream ${flags.nextUpstream.join(' ') || 'off'};`,
    `            proxy_next_upstream_tries ${tries};`,
    `            proxy_next_upstream_timeout ${triesTimeout};`,
    '        }',
    '    }',
    ...statusServer(flags.status),
    '}',
    '',
  ];
  return lines.join('\n');
}

function method(algorithm: ServeFlags['algorithm'], hashKey: string): string[] {
  if (algorithm === 'round_robin') return [];
  return [`        ${algorithm}${algorithm === 'hash' ? ` ${printWord(hashKey)} consistent` : ''};`];
}

/** `ADDRESS [nginx's parameters]`; what was not said comes from the flags. */
function server(backend: string, flags: ServeConf): string {
  const [address = '', ...parameters] = backend.trim().split(/\s+/);
  const has = (name: string): boolean => parameters.some((parameter) => parameter.startsWith(`${name}=`));
  if (!has('max_fails')) parameters.push(`max_fails=${flags.maxFails}`);
  if (!has('fail_timeout')) parameters.push(`fail_timeout=${flags.failTimeout}`);
  return [address, ...parameters].map(printWord).join(' ');
}

function accessLog(flag: string): string {
  return flag === '-' ? '/dev/stdout' : printWord(flag);
}

function statusServer(address: string | undefined): string[] {
  if (address === undefined) return [];
  return [
    '',
    '    server {',
    `        listen ${printWord(onLoopback(address))};`,
    '        access_log off;',
    '        location = /lb_status { lb_status; }',
    '        location = /stub_status { stub_status; }',
    '    }',
  ];
}

/** A port alone is this machine's: what the status tells is for nobody else unless somebody says so. */
function onLoopback(address: string): string {
  return /^[0-9]+$/.test(address) ? `127.0.0.1:${address}` : address;
}

/** Several may run on one machine, each on its own address, none as root. */
function pidFile(listen: readonly string[]): string {
  const folder = process.env['XDG_RUNTIME_DIR'] ?? (process.geteuid?.() === 0 ? '/run' : tmpdir());
  return `${folder}/evenkeel-${(listen[0] ?? '').replaceAll(/[^A-Za-z0-9.]+/g, '-')}.pid`;
}
