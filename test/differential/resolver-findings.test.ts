import { describe, expect, it } from 'vitest';
import { EVENKEEL, type Program } from '../support/program.ts';
import { oracleOrSkip } from './compare.ts';
import { runCommand } from './run-command.ts';

/** Content of http. Compared: exit code and the first finding, with its line. */
const CONFIGURATIONS: readonly string[] = [
  'resolver 127.0.0.1;',
  'resolver 127.0.0.1:5353 [::1]:53 [::1] valid=30s ipv6=off;',
  'resolver localhost;',
  'resolver 127.0.0.1 ipv6=off ipv6=on valid=1 valid=2;',
  'resolver 127.0.0.1 valid=0;',
  'server { resolver 127.0.0.1; resolver_timeout 3s; location / { resolver 127.0.0.2; resolver_timeout 0; } }',
  'server { location / { if ($arg_a) { resolver 127.0.0.1; } } }',
  'upstream u { resolver_timeout 1s; server 127.0.0.1; }',
  'resolver 127.0.0.1; resolver 127.0.0.2;',
  'resolver;',
  'resolver valid=10s;',
  'resolver 127.0.0.1 valid=x;',
  'resolver 127.0.0.1 valid=;',
  'resolver 127.0.0.1 valid=10ms;',
  'resolver 127.0.0.1 ipv6=maybe;',
  'resolver 127.0.0.1 foo=bar;',
  'resolver nobody.invalid;',
  'resolver 127.0.0.1:0;',
  'resolver 127.0.0.1:99999;',
  'resolver 127.0.0.1:x;',
  'resolver 127.0.0.1/x;',
  'resolver [::1;',
  'resolver [x];',
  'resolver "";',
  'resolver :53;',
  'resolver_timeout x;',
  'resolver_timeout 5s; resolver_timeout 6s;',
  'resolver_timeout;',
];

const nginx = oracleOrSkip('resolver: findings');

async function findings(program: Program, http: string): Promise<string> {
  const conf = `pid nginx.pid; error_log error.log;\nevents {}\nhttp { access_log off; ${http} }\n`;
  const args = ['-t', '-c', 'nginx.conf', '-e', 'error.log'];
  const { code, stderr } = await runCommand(program, { args, files: { 'nginx.conf': conf } });
  const [first = ''] = stderr.split('\n').filter((line) => /^nginx: \[(emerg|warn)\]/.test(line));
  return `${code} ${first.replaceAll('%%DIR%%/', '')}`;
}

describe.skipIf(nginx === undefined)('resolver: findings', () => {
  it.each(CONFIGURATIONS)('%s', async (http) => {
    if (nginx === undefined) return;
    expect(await findings(EVENKEEL, http)).toBe(await findings(nginx, http));
  });

  it('newer than the oracle', async () => {
    expect(await findings(EVENKEEL, 'resolver 127.0.0.1 ipv4=off status_zone=z;')).toBe('0 ');
    expect(await findings(EVENKEEL, 'resolver 127.0.0.1 ipv4=off ipv6=off;')).toBe(
      '1 nginx: [emerg] "ipv4" and "ipv6" cannot both be "off" in nginx.conf:3',
    );
    expect(await findings(EVENKEEL, 'resolver 127.0.0.1 ipv4=no;')).toBe(
      '1 nginx: [emerg] invalid parameter: ipv4=no in nginx.conf:3',
    );
  });
});
