import { describe, expect, test } from 'vitest';
import { type ServeConf, serveConf } from '../../../src/cli/serve-conf.ts';
import { ALGORITHMS } from '../../../src/cli/serve-flags.ts';
import { hasEmerg } from '../../../src/config/diagnostic.ts';
import { textSource } from '../../../src/process/config-source.ts';

const FLAGS: ServeConf = {
  listen: ['8080'],
  backend: ['10.0.0.1:8000', '10.0.0.2:8000 weight=2 max_fails=9'],
  algorithm: 'round_robin',
  hashKey: '$request_uri',
  maxFails: 3,
  failTimeout: '30s',
  nextUpstream: ['error', 'timeout'],
  tries: 3,
  triesTimeout: '15s',
  connectTimeout: '5s',
  readTimeout: '60s',
  keepalive: 32,
  workers: '2',
  status: undefined,
  accessLog: 'off',
  errorLog: 'stderr',
};

function findings(flags: ServeConf): readonly unknown[] {
  const { diagnostics } = textSource(serveConf(flags), 'flags', '/').read();
  return hasEmerg(diagnostics) ? diagnostics : [];
}

describe('the configuration that flags make', () => {
  test.each(ALGORITHMS)('is sound with %s', (algorithm) => {
    expect(findings({ ...FLAGS, algorithm })).toEqual([]);
  });

  test('says the method only when it is not the default', () => {
    expect(serveConf(FLAGS)).not.toContain('round_robin');
    expect(serveConf({ ...FLAGS, algorithm: 'least_conn' })).toContain('least_conn;');
    expect(serveConf({ ...FLAGS, algorithm: 'hash' })).toContain('hash $request_uri consistent;');
  });

  test('what a backend says of itself goes before the flags', () => {
    expect(serveConf(FLAGS)).toContain('server 10.0.0.1:8000 max_fails=3 fail_timeout=30s;');
    expect(serveConf(FLAGS)).toContain('server 10.0.0.2:8000 weight=2 max_fails=9 fail_timeout=30s;');
  });

  test('a status server only when asked for', () => {
    expect(serveConf(FLAGS)).not.toContain('lb_status');
    const text = serveConf({ ...FLAGS, status: '127.0.0.1:8081' });
    expect(text).toContain('listen 127.0.0.1:8081;');
    expect(findings({ ...FLAGS, status: '127.0.0.1:8081' })).toEqual([]);
  });

  test('a status server whose address is only a port is reached from this machine alone', () => {
    expect(serveConf({ ...FLAGS, status: '8081' })).toContain('listen 127.0.0.1:8081;');
    expect(serveConf({ ...FLAGS, status: '0.0.0.0:8081' })).toContain('listen 0.0.0.0:8081;');
  });

  test('words that nginx would read otherwise are quoted', () => {
    expect(findings({ ...FLAGS, accessLog: '/tmp/a b;{.log', errorLog: '/tmp/#x' })).toEqual([]);
    expect(serveConf({ ...FLAGS, accessLog: '-' })).toContain('access_log /dev/stdout;');
  });
});
