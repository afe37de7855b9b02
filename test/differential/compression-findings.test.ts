import { describe, expect, it } from 'vitest';
import { EVENKEEL, type Program } from '../support/program.ts';
import { oracleOrSkip } from './compare.ts';
import { runCommand } from './run-command.ts';

/** Contents of http. Compared: exit code and findings, less their places. */
const CONFIGURATIONS = [
  'gzip on; server { gzip off; location / { gzip on; if ($arg_a) { gzip off; } } }',
  'gzip maybe;',
  'gzip;',
  'gzip on; gzip on;',
  'server { location / { limit_except GET { gzip on; } } }',
  'gzip_types text/css application/json; server { gzip_types *; location / { gzip_types text/css; gzip_types text/x; } }',
  'gzip_types text/html;',
  'gzip_types text/css TEXT/CSS;',
  'gzip_types * text/html text/css text/css;',
  'gzip_types text/css; gzip_types text/css;',
  'gzip_types;',
  'server { location / { if ($arg_a) { gzip_types text/css; } } }',
  'gzip_min_length 1k;',
  'gzip_min_length -1;',
  'gzip_min_length 1g;',
  'gzip_comp_level 9;',
  'gzip_comp_level 0;',
  'gzip_comp_level 10;',
  'gzip_comp_level best;',
  'gzip_proxied expired no-cache no-store private no_last_modified no_etag auth any off;',
  'gzip_proxied any any;',
  'gzip_proxied nothing;',
  'gzip_proxied;',
  'gzip_proxied any; gzip_proxied off;',
  // Directives that add up.
  'proxy_next_upstream error; proxy_next_upstream timeout http_500;',
  'proxy_ignore_headers Vary; proxy_ignore_headers Expires Vary;',
  'ssl_protocols TLSv1.2; ssl_protocols TLSv1.3 TLSv1.2;',
  'proxy_ssl_protocols TLSv1.2; proxy_ssl_protocols TLSv1.3;',
  'keepalive_disable msie6; keepalive_disable safari;',
  'gzip_proxied any; gzip_proxied off any;',
  'gzip_vary on; server { gzip_vary off; location / { gzip_vary on; } }',
  'gzip_vary maybe;',
  'gzip_disable msie6; gzip_disable "MSIE [1-6]\\."; server { gzip_disable x y msie6; }',
  'gzip_disable "[";',
  'gzip_disable;',
  'gzip_http_version 1.0; server { gzip_http_version 1.1; }',
  'gzip_http_version 2.0;',
  'gzip_window 32k;',
  'gzip_window 512;',
  'gzip_window 256;',
  'gzip_window 64k;',
  'gzip_window x;',
  'gzip_hash 128k;',
  'gzip_hash 512;',
  'gzip_hash 256;',
  'gzip_hash 1000;',
  'gzip_buffers 32 4k;',
  'gzip_buffers 32;',
  'gzip_buffers 0 4k;',
  'gzip_buffers 1 x;',
  'gzip_no_buffer on; postpone_gzipping 1k;',
  'gzip_no_buffer maybe;',
  'postpone_gzipping x;',
  'gzip_static on; server { gzip_static always; location / { gzip_static off; } }',
  'gzip_static maybe;',
  'server { location / { if ($arg_a) { gzip_static on; } } }',
  'gunzip on; gunzip_buffers 16 8k; server { gunzip off; }',
  'gunzip maybe;',
  'gunzip_buffers 16;',
  'gunzip_buffers x 8k;',
  'server { location / { if ($arg_a) { gunzip on; } } }',
  'log_format a $gzip_ratio;',
  'add_trailer X-A $status; server { add_trailer X-A "" always; location / { if ($arg_a) { add_trailer X-B b; } } }',
  'add_trailer X-A;',
  'add_trailer X-A a sometimes;',
  'server { add_trailer X-A $nothing; }',
  'add_trailer X-A a; add_trailer X-A a;',
  'server { location / { limit_except GET { add_trailer X-A a; } } }',
];

const nginx = oracleOrSkip('compression and trailers: findings');

async function findings(program: Program, http: string): Promise<string> {
  const conf = `pid nginx.pid; error_log error.log;\nevents {}\nhttp { access_log off; ${http} }\n`;
  const args = ['-t', '-c', 'nginx.conf', '-e', 'error.log'];
  const { code, stderr } = await runCommand(program, { args, files: { 'nginx.conf': conf } });
  const lines = stderr.split('\n').filter((line) => /^nginx: \[(emerg|warn)\]/.test(line));
  return [code, ...lines.map((line) => line.replaceAll('%%DIR%%/', '').replace(/ in nginx\.conf:\d+$/, ''))].join('\n');
}

describe.skipIf(nginx === undefined)('compression and trailers: findings', () => {
  it.each(CONFIGURATIONS)('%s', async (http) => {
    if (nginx === undefined) return;
    expect(await findings(EVENKEEL, http)).toBe(await findings(nginx, http));
  });
});
