import { describe, expect, it } from 'vitest';
import { EVENKEEL, type Program } from '../support/program.ts';
import { oracleOrSkip } from './compare.ts';
import { runCommand } from './run-command.ts';

const server = (text: string): string => `server { listen 127.0.0.1:8079; ${text} }`;

/** Title -> content of http. Compared: exit code and the first finding, less its place. */
const CONFIGURATIONS: Readonly<Record<string, string>> = {
  'good values': server(
    'http2_max_concurrent_streams 10; http2_body_preread_size 1k; http2_chunk_size 4k; http2_pool_size 4k; http2_streams_index_size 64;',
  ),
  'good values in http': `http2_recv_buffer_size 128k; http2_max_concurrent_streams 1; ${server('location / { http2_chunk_size 1k; }')}`,
  'streams: no number': server('http2_max_concurrent_streams x;'),
  'streams: twice': server('http2_max_concurrent_streams 1; http2_max_concurrent_streams 2;'),
  'streams: in a location': server('location / { http2_max_concurrent_streams 1; }'),
  'preread: no size': server('http2_body_preread_size x;'),
  'preread: too large': server('http2_body_preread_size 3000m;'),
  'chunk: no size': server('http2_chunk_size x;'),
  'chunk: nothing': server('http2_chunk_size 0;'),
  'receive buffer: too small': 'http2_recv_buffer_size 1;',
  'receive buffer: in a server': server('http2_recv_buffer_size 1k;'),
  'pool: too small': server('http2_pool_size 1;'),
  'pool: no multiple': server('http2_pool_size 1001;'),
  'index: no power of two': server('http2_streams_index_size 3;'),
  'index: nothing': server('http2_streams_index_size 0;'),
  ...Object.fromEntries(
    ['recv_timeout 1s', 'idle_timeout 1s', 'max_requests 1', 'max_field_size 1k', 'max_header_size 1k'].map((text) => [
      `obsolete: ${text}`,
      server(`http2_${text};`),
    ]),
  ),
  'obsolete, two arguments': server('http2_idle_timeout 1s 2s;'),
};

const nginx = oracleOrSkip('http2: findings');

async function findings(program: Program, http: string): Promise<string> {
  const conf = `pid nginx.pid; error_log error.log;\nevents {}\nhttp { access_log off; ${http} }\n`;
  const args = ['-t', '-c', 'nginx.conf', '-e', 'error.log'];
  const { code, stderr } = await runCommand(program, { args, files: { 'nginx.conf': conf } });
  const [first = ''] = stderr.split('\n').filter((line) => /^nginx: \[(emerg|warn)\]/.test(line));
  return `${code} ${first.replaceAll('%%DIR%%/', '')}`;
}

describe.skipIf(nginx === undefined)('http2: findings', () => {
  it.each(Object.entries(CONFIGURATIONS))('%s', async (_title, http) => {
    if (nginx === undefined) return;
    const expected = await findings(nginx, http);
    expect(await findings(EVENKEEL, http)).toBe(expected);
  });
});
