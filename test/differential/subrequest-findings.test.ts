import { describe, expect, it } from 'vitest';
import { EVENKEEL, type Program } from '../support/program.ts';
import { oracleOrSkip } from './compare.ts';
import { runCommand } from './run-command.ts';

/** Content of http. Compared: exit code and the first finding, with its line. */
const CONFIGURATIONS: readonly string[] = [
  'auth_request /a; server { auth_request off; location / { auth_request /b; } }',
  'auth_request;',
  'auth_request /a /b;',
  'auth_request "";',
  'auth_request /a; auth_request /b;',
  'auth_request off; auth_request /b;',
  'auth_request /a; auth_request off;',
  'server { location / { if ($arg_a) { auth_request /a; } } }',
  'server { location / { limit_except GET { auth_request /a; } } }',
  'upstream u { auth_request /a; server 127.0.0.1; }',
  'auth_request_set $a $upstream_status;',
  'auth_request_set $a b; auth_request_set $a c;',
  'auth_request_set $a;',
  'auth_request_set a b;',
  'auth_request_set $ b;',
  'auth_request_set $a $unknown;',
  'auth_request_set $host b;',
  'auth_request_set $args b;',
  'auth_request_set $upstream_status b;',
  'auth_request_set $http_x b;',
  'auth_request_set $a "${b";',
  'auth_request_set $a b; server { location / { set $a c; return 200 $a; } }',
  'server { location / { if ($arg_a) { auth_request_set $a b; } } }',
  'map $uri $a { default 1; } auth_request_set $a b;',
  'mirror /a; server { mirror off; location / { mirror /b; mirror /c; } }',
  'mirror;',
  'mirror /a /b;',
  'mirror /a; mirror /a;',
  'mirror off; mirror /a;',
  'mirror /a; mirror off;',
  'mirror off; mirror off;',
  'mirror "";',
  'server { location / { if ($arg_a) { mirror /a; } } }',
  'server { location / { limit_except GET { mirror /a; } } }',
  'mirror_request_body on; server { mirror_request_body off; location / { mirror_request_body on; } }',
  'mirror_request_body maybe;',
  'mirror_request_body on; mirror_request_body on;',
  'mirror_request_body;',
  'server { location / { if ($arg_a) { mirror_request_body on; } } }',
  'log_subrequest maybe;',
  'log_subrequest on; log_subrequest on;',
];

const nginx = oracleOrSkip('auth_request and mirror: findings');

async function findings(program: Program, http: string): Promise<string> {
  const conf = `pid nginx.pid; error_log error.log;\nevents {}\nhttp { access_log off; ${http} }\n`;
  const args = ['-t', '-c', 'nginx.conf', '-e', 'error.log'];
  const { code, stderr } = await runCommand(program, { args, files: { 'nginx.conf': conf } });
  const [first = ''] = stderr.split('\n').filter((line) => /^nginx: \[(emerg|warn)\]/.test(line));
  return `${code} ${first.replaceAll('%%DIR%%/', '').replace(/ in nginx\.conf:\d+$/, '')}`;
}

describe.skipIf(nginx === undefined)('auth_request and mirror: findings', () => {
  it.each(CONFIGURATIONS)('%s', async (http) => {
    if (nginx === undefined) return;
    expect(await findings(EVENKEEL, http)).toBe(await findings(nginx, http));
  });
});
