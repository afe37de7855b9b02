import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readCheckFlags } from '../../../src/cli/check-flags.ts';
import { planChecks } from '../../../src/cli/check-plan.ts';
import { readSecret, readVariables } from '../../../src/cli/check-variables.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const folder = tempFolder('check-flags');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

describe('flags and their variables', () => {
  test('defaults', () => {
    expect(readCheckFlags({}, {})).toMatchObject({
      balancer: [],
      masterName: 'mymaster',
      conf: null,
      certDays: 14,
      isInsecure: false,
      maxLagBytes: 16 * 1024 * 1024,
      maxLagMs: 30_000,
      maxSlotWalBytes: 1024 ** 3,
      timeoutMs: 5000,
      backendUri: '/',
      body: null,
    });
  });

  test('a variable stands for a flag; the flag comes first', () => {
    const variables = {
      EVENKEEL_BACKEND: 'a:1, b:2\nc:3',
      EVENKEEL_MAX_LAG: 'off',
      EVENKEEL_TIMEOUT: '1s',
      EVENKEEL_INSECURE: '1',
      EVENKEEL_BODY: '',
    };
    expect(readCheckFlags({ timeout: '2s' }, variables)).toMatchObject({
      backend: ['a:1', 'b:2', 'c:3'],
      maxLagBytes: null,
      timeoutMs: 2000,
      isInsecure: true,
      body: null,
    });
  });

  test.each([
    [{ timeout: '0' }, {}, '--timeout 0: a time from 1ms'],
    [{ timeout: ['1s', '2s'] }, {}, '--timeout may be given once only'],
    [{ status: 'fine' }, {}, '--status fine: write 200, 200-399 or 200,204'],
    [{ 'max-lag': '1x' }, {}, '--max-lag 1x: a size: 512k, 16m, 1g, or off'],
    [{ 'max-lag-time': 'soon' }, {}, '--max-lag-time soon: a time'],
    [{ 'cert-days': '-1' }, {}, '--cert-days -1: a number of days'],
    [{ 'backend-uri': 'up' }, {}, '--backend-uri up: it begins with /'],
    [{ redis: ['a', ''] }, {}, '--redis must not be empty'],
    [{ body: '' }, {}, '--body must not be empty'],
    [{}, { EVENKEEL_TIMEOUT: 'x' }, 'EVENKEEL_TIMEOUT x: a time'],
    [{}, { EVENKEEL_INSECURE: 'perhaps' }, 'EVENKEEL_INSECURE=perhaps: write 1 or 0'],
  ])('%j %j: %s', (argv, variables, text) => {
    expect(() => readCheckFlags(argv, variables)).toThrow(text);
  });
});

describe('variables', () => {
  test('the environment comes before the file', () => {
    const path = file('.env', 'A=file\nB=\'quoted # text\'\n# comment\nexport C="two words"\n');
    expect(readVariables({ A: 'own', D: undefined }, path)).toEqual({ A: 'own', B: 'quoted # text', C: 'two words' });
  });

  test('a file that is not there is told, by what named it', () => {
    expect(() => readVariables({}, join(folder, 'gone'))).toThrow(/^--env-file .*gone: No such file or directory$/);
    expect(() => readSecret({ X_FILE: join(folder, 'gone') }, 'X')).toThrow(/^X_FILE .*gone: No such file/);
  });

  test('a secret: from the variable, else from the file that …_FILE names', () => {
    const X_FILE = file('secret', 'pass word\n');
    expect(readSecret({ X_FILE }, 'X')).toBe('pass word');
    expect(readSecret({ X_FILE, X: 'own' }, 'X')).toBe('own');
    expect(readSecret({}, 'X')).toBe(undefined);
  });
});

describe('what is looked at', () => {
  const plan = (argv: object, variables = {}) => planChecks(readCheckFlags({ ...argv }, variables), variables);

  test('every kind, with its usual port', async () => {
    const checks = await plan({
      balancer: 'https://lb/health',
      api: 'http://lb:81/api',
      backend: ['127.0.0.1:8000', 'unix:/run/b.sock', 'http://127.0.0.2/x'],
      postgres: 'a',
      'postgres-primary': 'b:5433',
      'postgres-replica': '[::1]',
      redis: 'c',
      'redis-master': 'd',
      'redis-replica': 'e:1',
      sentinel: 'f',
    }).checks();
    expect(
      checks.map(({ kind, target }) => [kind, target.kind === 'tcp' ? `${target.host} ${target.port}` : target.path]),
    ).toEqual([
      ['balancer', 'lb 443'],
      ['api', 'lb 81'],
      ['backend', '127.0.0.1 8000'],
      ['backend', '/run/b.sock'],
      ['backend', '127.0.0.2 80'],
      ['postgres', 'a 5432'],
      ['postgres_primary', 'b 5433'],
      ['postgres_replica', '::1 5432'],
      ['redis', 'c 6379'],
      ['redis_master', 'd 6379'],
      ['redis_replica', 'e 1'],
      ['sentinel', 'f 26379'],
    ]);
  });

  test("each address of a backend's name, found anew for each round; the probe finds out why there is none", async () => {
    const names: Record<string, string[]> = { backend: ['10.0.0.1', '10.0.0.2'], one: ['10.0.0.3'] };
    const flags = readCheckFlags({ backend: ['backend:8000', 'one', 'gone:1'] }, {});
    const { checks } = planChecks(flags, {}, async (name) => names[name] ?? []);
    const round = async (): Promise<string[]> =>
      (await checks()).map(({ label, target }) => `${label} -> ${target.kind === 'tcp' ? target.host : ''}`);
    expect(await round()).toEqual([
      'backend:8000 (10.0.0.1) -> 10.0.0.1',
      'backend:8000 (10.0.0.2) -> 10.0.0.2',
      'one -> one',
      'gone:1 -> gone',
    ]);
    names['backend'] = ['10.0.0.2', '10.0.0.4'];
    expect((await round())[1]).toBe('backend:8000 (10.0.0.4) -> 10.0.0.4');
  });

  test('secrets are known where they are used', () => {
    const variables = { POSTGRES_PASSWORD: 'one', REDIS_PASSWORD: 'two' };
    expect(plan({ postgres: 'a' }, variables).secrets).toEqual(['one']);
    expect(plan({ sentinel: 'a' }, variables).secrets).toEqual(['two']);
    expect(plan({ backend: 'a' }, variables).secrets).toEqual([]);
  });

  test.each([
    [{}, /^Say what to look at: --balancer, /],
    [{ balancer: 'lb' }, /^--balancer lb: not a URL; write http:/],
    [{ balancer: 'ftp://lb/' }, /^--balancer ftp:\/\/lb\/: not a URL/],
    [{ balancer: 'https://me:pa55@lb/' }, /^--balancer: a user or password does not belong here/],
    [{ redis: 'redis://:pa55@lb:1' }, /^--redis: write HOST:PORT, .*REDIS_PASSWORD/],
    [{ postgres: 'me:pa55@lb' }, /^--postgres: write HOST:PORT, /],
    [{ postgres: 'lb:99999' }, /^--postgres lb:99999: invalid port; write HOST:PORT/],
    [{ sentinel: ':1' }, /^--sentinel :1: no host; /],
  ])('%j is refused, without a password in the text', (argv, text) => {
    expect(() => plan(argv)).toThrow(text);
    expect(() => plan(argv)).not.toThrow(/pa55/);
  });
});
