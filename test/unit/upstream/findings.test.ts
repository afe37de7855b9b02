import { describe, expect, test } from 'vitest';
import { readUpstreams } from './read-upstreams.ts';

/** What nginx 1.22.1 says of each, tried; where newer nginx or we differ, it is said. */
const FINDINGS: readonly (readonly [text: string, ...findings: string[]])[] = [
  ['upstream u {\n}', '[emerg] no servers are inside upstream in n.conf:3'],
  ['upstream u { zone u 64k; }', '[emerg] no servers are inside upstream in n.conf:2'],
  ['upstream u { server 127.0.0.1; }\nupstream u { server 127.0.0.1; }', '[emerg] duplicate upstream "u" in n.conf:3'],
  ['upstream u { server 1.1.1.1; } upstream U { server 1.1.1.1; }', '[emerg] duplicate upstream "U" in n.conf:2'],
  ['upstream u v { server 1.1.1.1; }', '[emerg] invalid number of arguments in "upstream" directive in n.conf:2'],
  ['upstream u { server 1.1.1.1 weight=x; }', '[emerg] invalid parameter "weight=x" in n.conf:2'],
  ['upstream u { server 1.1.1.1 weight=0; }', '[emerg] invalid parameter "weight=0" in n.conf:2'],
  ['upstream u { server 1.1.1.1 max_conns=x; }', '[emerg] invalid parameter "max_conns=x" in n.conf:2'],
  ['upstream u { server 1.1.1.1 max_fails=-1; }', '[emerg] invalid parameter "max_fails=-1" in n.conf:2'],
  ['upstream u { server 1.1.1.1 fail_timeout=x; }', '[emerg] invalid parameter "fail_timeout=x" in n.conf:2'],
  ['upstream u { server 1.1.1.1 fail_timeout=10ms; }', '[emerg] invalid parameter "fail_timeout=10ms" in n.conf:2'],
  ['upstream u { server 1.1.1.1 foo; }', '[emerg] invalid parameter "foo" in n.conf:2'],
  ['upstream u { server 1.1.1.1 down=1; }', '[emerg] invalid parameter "down=1" in n.conf:2'],
  // newer nginx and nginx Plus know these; we say so instead of calling them invalid
  ['upstream u { server a.b resolve; }', '[emerg] parameter "resolve" is not supported yet in n.conf:2'],
  ['upstream u { server a.b service=http; }', '[emerg] parameter "service=http" is not supported yet in n.conf:2'],
  ['upstream u { server 1.1.1.1 slow_start=soon; }', '[emerg] invalid parameter "slow_start=soon" in n.conf:2'],
  [
    'upstream u { ip_hash; server 1.1.1.1 slow_start=30s; }',
    '[emerg] balancing method does not support parameter "slow_start=30s" in n.conf:2',
  ],
  ['upstream u { server 1.1.1.1; panic_threshold 50; }', '[emerg] invalid value "50" in n.conf:2'],
  ['upstream u { server 1.1.1.1; retry_budget 101%; }', '[emerg] invalid value "101%" in n.conf:2'],
  ['upstream u { server 1.1.1.1 drain; server 1.1.1.2; queue 10 timeout=5s; }'],
  ['upstream u { server 1.1.1.1; queue 0; }', '[emerg] invalid value "0" in "queue" directive in n.conf:2'],
  ['upstream u { server 1.1.1.1; queue 10 5s; }', '[emerg] invalid parameter "5s" in n.conf:2'],
  ['upstream u { server 1.1.1.1; queue 10 timeout=0; }', '[emerg] invalid parameter "timeout=0" in n.conf:2'],
  ['upstream u { server 1.1.1.1 route=a; }', '[emerg] parameter "route=a" is not supported yet in n.conf:2'],
  ['upstream u { server 1.1.1.1:99999; }', '[emerg] invalid port in upstream "1.1.1.1:99999" in n.conf:2'],
  ['upstream u { server 1.1.1.1:; }', '[emerg] invalid port in upstream "1.1.1.1:" in n.conf:2'],
  ['upstream u { server 1.1.1.1:80-90; }', '[emerg] invalid port in upstream "1.1.1.1:80-90" in n.conf:2'],
  ['upstream u { server ""; }', '[emerg] no host in upstream "" in n.conf:2'],
  ['upstream u { server :80; }', '[emerg] no host in upstream ":80" in n.conf:2'],
  ['upstream u { server unix:; }', '[emerg] no path in the unix domain socket in upstream "unix:" in n.conf:2'],
  [
    `upstream u { server unix:${'a'.repeat(108)}; }`,
    `[emerg] too long path in the unix domain socket in upstream "unix:${'a'.repeat(108)}" in n.conf:2`,
  ],
  ['upstream u { server [::1; }', '[emerg] invalid host in upstream "[::1" in n.conf:2'],
  ['upstream u { server [::1]x; }', '[emerg] invalid host in upstream "[::1]x" in n.conf:2'],
  ['upstream u { server [zz]; }', '[emerg] invalid IPv6 address in upstream "[zz]" in n.conf:2'],
  ['upstream u { server 1.1.1.1/x; }', '[emerg] invalid host in upstream "1.1.1.1/x" in n.conf:2'],
  ['upstream u { server http://1.1.1.1; }', '[emerg] invalid host in upstream "http://1.1.1.1" in n.conf:2'],
  ['upstream u { server; }', '[emerg] invalid number of arguments in "server" directive in n.conf:2'],
  [
    'upstream u { ip_hash; server 1.1.1.1 backup; }',
    '[emerg] balancing method does not support parameter "backup" in n.conf:2',
  ],
  [
    'upstream u { hash $uri; server 1.1.1.1 backup; }',
    '[emerg] balancing method does not support parameter "backup" in n.conf:2',
  ],
  [
    'upstream u { random; server 1.1.1.1 backup; }',
    '[emerg] balancing method does not support parameter "backup" in n.conf:2',
  ],
  ['upstream u {\nserver 1.1.1.1 backup; }', '[emerg] no servers in upstream "u" in n.conf:2'],
  ['upstream u { server 1.1.1.1 backup; server 1.1.1.2; ip_hash; }'],
  ['upstream u { least_conn; ip_hash; server 1.1.1.1; }', '[warn] load balancing method redefined in n.conf:2'],
  ['upstream u { least_conn; least_conn; server 1.1.1.1; }', '[warn] load balancing method redefined in n.conf:2'],
  [
    'upstream u { least_conn x; server 1.1.1.1; }',
    '[emerg] invalid number of arguments in "least_conn" directive in n.conf:2',
  ],
  ['upstream u { hash; server 1.1.1.1; }', '[emerg] invalid number of arguments in "hash" directive in n.conf:2'],
  ['upstream u { hash $uri foo; server 1.1.1.1; }', '[emerg] invalid parameter "foo" in n.conf:2'],
  ['upstream u { random foo; server 1.1.1.1; }', '[emerg] invalid parameter "foo" in n.conf:2'],
  ['upstream u { random two foo; server 1.1.1.1; }', '[emerg] invalid parameter "foo" in n.conf:2'],
  [
    'upstream u { random two least_conn x; server 1.1.1.1; }',
    '[emerg] invalid number of arguments in "random" directive in n.conf:2',
  ],
  ['upstream u { keepalive x; server 1.1.1.1; }', '[emerg] invalid value "x" in "keepalive" directive in n.conf:2'],
  [
    'upstream u { keepalive 4; keepalive 5; server 1.1.1.1; }',
    '[emerg] "keepalive" directive is duplicate in n.conf:2',
  ],
  ['upstream u { keepalive 4 foo; server 1.1.1.1; }', '[emerg] invalid parameter "foo" in n.conf:2'],
  // since 1.29.7: 0 turns it off, `local`, and keepalive is no balancing method any more
  ['upstream u { keepalive 0; server 1.1.1.1; }'],
  ['upstream u { keepalive 4 local; least_conn; server 1.1.1.1; }'],
  [
    'upstream u { keepalive_requests x; server 1.1.1.1; }',
    '[emerg] "keepalive_requests" directive invalid number in n.conf:2',
  ],
  ['upstream u { keepalive_time x; server 1.1.1.1; }', '[emerg] "keepalive_time" directive invalid value in n.conf:2'],
  [
    'upstream u { keepalive_timeout 1 2; server 1.1.1.1; }',
    '[emerg] invalid number of arguments in "keepalive_timeout" directive in n.conf:2',
  ],
  [
    'upstream u { keepalive_timeout 1; keepalive_timeout 1; server 1.1.1.1; }',
    '[emerg] "keepalive_timeout" directive is duplicate in n.conf:2',
  ],
  ['upstream u { zone u x; server 1.1.1.1; }', '[emerg] invalid zone size "x" in n.conf:2'],
  ['upstream u { zone u 1k; server 1.1.1.1; }', '[emerg] zone "u" is too small in n.conf:2'],
  ['upstream u { zone "" 64k; server 1.1.1.1; }', '[emerg] invalid zone name "" in n.conf:2'],
  ['upstream u { zone u 64k; zone u 64k; server 1.1.1.1; }'],
  ['upstream u { zone z 64k; server 1.1.1.1; } upstream v { zone z; server 1.1.1.1; }'],
  [
    'upstream u { zone z 64k; server 1.1.1.1; } upstream v { zone z 128k; server 1.1.1.1; }',
    '[emerg] the size 131072 of shared memory zone "z" conflicts with already declared size 65536 in n.conf:2',
  ],
  // nginx says it without a position
  ['upstream u { zone u; server 1.1.1.1; }', '[emerg] zero size shared memory zone "u" in n.conf:1'],
  ['upstream u { server 1.1.1.1 weight=2 weight=3 down fail_timeout=1h30m; server nosuch.invalid; }'],
];

describe('findings of an upstream block are nginx’s', () => {
  test.each(FINDINGS)('%s', (text, ...findings) => {
    expect(readUpstreams(text).findings).toEqual(findings);
  });
});

describe('what an upstream block gives', () => {
  const read = (text: string) => {
    const [conf] = readUpstreams(`upstream u { ${text} }`).upstreams;
    if (conf === undefined) throw new Error('no upstream');
    return conf;
  };

  test('defaults', () => {
    const conf = read('server a;');
    expect(conf.servers[0]?.conf).toEqual({
      name: 'a',
      weight: 1,
      maxFails: 1,
      failTimeoutMs: 10_000,
      maxConns: 0,
      isBackup: false,
      isDown: false,
      isDraining: false,
      slowStartMs: 0,
    });
    expect(conf.servers[0]?.target).toMatchObject({ host: 'a', port: 80, hasPort: false, address: null });
    expect(conf.method.def.directive).toBe('round_robin');
    expect(conf.keepalive).toEqual({
      maxIdle: 32,
      isLocal: true,
      maxRequests: 1000,
      maxAgeMs: 3_600_000,
      idleTimeoutMs: 60_000,
    });
    expect(conf.zone).toBeNull();
  });

  test('addresses', () => {
    const conf = read('server 127.0.0.1:81; server [::1]; server [fe80::1]:90; server unix:/x; server h:8080;');
    expect(conf.servers.map((line) => line.target.address)).toEqual([
      { kind: 'tcp', host: '127.0.0.1', port: 81, family: 4 },
      { kind: 'tcp', host: '::1', port: 80, family: 6 },
      { kind: 'tcp', host: 'fe80::1', port: 90, family: 6 },
      { kind: 'unix', path: '/x' },
      null,
    ]);
  });

  test('keepalive: said without local is shared, 0 is none', () => {
    expect(read('server a; keepalive 4;').keepalive).toMatchObject({ maxIdle: 4, isLocal: false });
    expect(read('server a; keepalive 4 local;').keepalive).toMatchObject({ maxIdle: 4, isLocal: true });
    expect(read('server a; keepalive 0;').keepalive).toBeNull();
  });

  test('method and zone', () => {
    const conf = read('zone z 64k; hash $uri consistent; server a;');
    expect(conf.method.def.directive).toBe('hash');
    expect(conf.method.args).toEqual(['$uri', 'consistent']);
    expect(conf.zone).toEqual({ name: 'z', bytes: 65_536 });
  });
});
