import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { formatDiagnostic } from '../../../src/config/diagnostic.ts';
import { parseText } from '../../../src/config/parser.ts';
import { NameRetry } from '../../../src/upstream/name-retry.ts';
import { namesInConfig } from '../../../src/upstream/names-in-config.ts';
import { type Lookup, resolveNames } from '../../../src/upstream/resolve-names.ts';
import type { ResolvedAddress } from '../../../src/upstream/resolved-names.ts';

const HOSTS: Readonly<Record<string, readonly ResolvedAddress[]>> = {
  'one.test': [{ host: '10.0.0.1', family: 4 }],
  'two.test': [
    { host: '::1', family: 6 },
    { host: '10.0.0.2', family: 4 },
  ],
};

const lookup: Lookup = async (host) => HOSTS[host] ?? Promise.reject(new Error('getaddrinfo ENOTFOUND'));

function namesOf(text: string) {
  return namesInConfig(
    parseText({ text, file: 'n.conf', include: () => ({ directives: [], finding: null }) }).directives,
  );
}

describe('names in a configuration', () => {
  test('are those of servers and of proxy_pass, each once; upstreams, addresses and variables are none', () => {
    const names = namesOf(`
      http {
        upstream back { server one.test:81; server one.test:82; server 127.0.0.1; server [::1]:80; server unix:/x; }
        server {
          server_name not.me;
          location / { proxy_pass http://two.test:8080/path; }
          location /a { proxy_pass http://BACK; }
          location /b { proxy_pass https://back/x?y; }
          location /c { proxy_pass http://$host; }
          location /d { proxy_pass http://unix:/tmp/s:/uri; }
          location /e { proxy_pass http://[::1]:9/; }
          location /f { proxy_pass http://late.test?x; }
        }
      }
      stream { server { proxy_pass three.test:5432; } }
    `);
    expect(names.map(({ host, text, pos }) => [host, text, pos.line])).toEqual([
      ['one.test', 'one.test:81', 3],
      ['two.test', 'two.test:8080', 6],
      ['late.test', 'late.test', 12],
      ['three.test', 'three.test:5432', 15],
    ]);
  });
});

describe('resolving them at start', () => {
  test('gives all addresses in order, and a warning for what is not found', async () => {
    const wanted = namesOf('upstream u { server one.test; server two.test;\n server gone.test:81; }');
    const { names, findings } = await resolveNames(wanted, lookup);
    expect(names).toEqual({ ...HOSTS, 'gone.test': [] });
    expect(findings.map((finding) => `${finding.severity} ${formatDiagnostic(finding)}`)).toEqual([
      'warn host not found in upstream "gone.test:81", the server counts as down and the name is retried in n.conf:2',
    ]);
  });

  test('does not wait for a name server that says nothing', async () => {
    const silent: Lookup = () => new Promise<never>(() => undefined);
    const { names } = await resolveNames(namesOf('upstream u { server one.test; }'), silent, 1);
    expect(names).toEqual({ 'one.test': [] });
  });

  test('localhost, by the system', async () => {
    const { names } = await resolveNames(namesOf('upstream u { server localhost; }'));
    expect(names['localhost']?.map((one) => one.host)).toContain('127.0.0.1');
  });
});

describe('a name that was not found', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  test('is asked for after 1, 2, 4 … 30 seconds until it is there, once', async () => {
    const askedAtSec: number[] = [];
    const start = Date.now();
    const news: unknown[] = [];
    const retry = new NameRetry({
      lookup: async (host) => {
        askedAtSec.push((Date.now() - start) / 1000);
        return askedAtSec.length < 8 ? Promise.reject(new Error('no')) : (HOSTS[host] ?? []);
      },
      onResolved: (name, addresses) => news.push([name, addresses]),
    });
    retry.follow({ 'one.test': [], 'two.test': [{ host: '::1', family: 6 }] });
    await vi.advanceTimersByTimeAsync(600_000);
    expect(askedAtSec).toEqual([1, 3, 7, 15, 31, 61, 91, 121]);
    expect(news).toEqual([['one.test', HOSTS['one.test']]]);
  });

  test('is forgotten with its configuration, even when the answer is under way', async () => {
    const answer = Promise.withResolvers<readonly ResolvedAddress[]>();
    const news: string[] = [];
    const retry = new NameRetry({ lookup: () => answer.promise, onResolved: (name) => news.push(name) });
    retry.follow({ 'one.test': [] });
    await vi.advanceTimersByTimeAsync(1500);
    retry.follow({});
    answer.resolve(HOSTS['one.test'] ?? []);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(news).toEqual([]);
  });
});
