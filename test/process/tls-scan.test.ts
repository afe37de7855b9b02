import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificate } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';

const hasScanner = (() => {
  try {
    execFileSync('sslscan', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false; // not installed
  }
})();

const reason = 'sslscan is not installed: apt-get install sslscan';
if (!hasScanner) console.log(`a scan of the default settings: ${reason}`);

describe.skipIf(!hasScanner && process.env['CI'] !== 'true')('a scan of the default settings', () => {
  let proxy: RunningProxy | undefined;
  let report = '';

  beforeAll(async () => {
    if (!hasScanner) throw new Error(reason);
    const rsa = makeCertificate('rsa', { kind: 'rsa' });
    const ec = makeCertificate('ec');
    const port = await freePort();
    proxy = await startProxy({
      conf: `error_log error.log;\nevents {}\nhttp { access_log off; server { listen 127.0.0.1:${port} ssl; ssl_certificate r.pem; ssl_certificate_key r.key; ssl_certificate e.pem; ssl_certificate_key e.key; return 200 "x"; } }\n`,
      files: { 'r.pem': rsa.cert, 'r.key': rsa.key, 'e.pem': ec.cert, 'e.key': ec.key },
    });
    const { stdout } = await promisify(execFile)('sslscan', ['--xml=-', '--show-cipher-ids', `127.0.0.1:${port}`]);
    report = stdout;
  });

  afterAll(() => proxy?.stop());

  /** Attributes of all elements of a name. */
  function all(name: string): Record<string, string>[] {
    return [...report.matchAll(new RegExp(`<${name} ([^>]*?)/?>`, 'g'))].map(([, text = '']) =>
      Object.fromEntries([...text.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value])),
    );
  }

  test('protocols: TLS 1.2 and 1.3', () => {
    const enabled = all('protocol').filter(({ enabled }) => enabled === '1');
    expect(enabled.map(({ type, version }) => `${type} ${version}`)).toEqual(['tls 1.2', 'tls 1.3']);
    expect(all('protocol')).toHaveLength(6);
  });

  test('ciphers: none that is weak, or middling', () => {
    const ciphers = all('cipher');
    expect(ciphers.length).toBeGreaterThan(10);
    expect(ciphers.filter(({ strength }) => strength !== 'strong' && strength !== 'acceptable')).toEqual([]);
    expect(ciphers.filter(({ bits }) => Number(bits) < 128)).toEqual([]);
    expect(ciphers.filter(({ cipher = '' }) => /NULL|anon|EXP|RC4|DES|MD5/i.test(cipher))).toEqual([]);
  });

  test('groups: none below 112 bits', () => {
    const groups = all('group');
    expect(groups.length).toBeGreaterThan(3);
    expect(groups.filter(({ bits }) => Number(bits) < 112)).toEqual([]);
  });

  test('no renegotiation, no compression, no Heartbleed', () => {
    expect(all('renegotiation')).toEqual([{ supported: '0', secure: '0' }]);
    expect(all('compression').filter(({ supported }) => supported === '1')).toEqual([]);
    expect(all('heartbleed').filter(({ vulnerable }) => vulnerable !== '0')).toEqual([]);
  });
});
