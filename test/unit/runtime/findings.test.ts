import { describe, expect, test } from 'vitest';
import { compileText } from '../../support/compile-text.ts';

/** Findings of a server's directives, without the position. */
const of = (directives: string) => findings(`server { listen 8080; ${directives} }`);
const findings = (http: string) => compileText(http).findings.map((text) => text.replace(/ in test\.conf:\d+$/, ''));

describe('listen', () => {
  test.each<[string, string | null]>([
    ['*:8080', null],
    ['8080 default_server backlog=5 rcvbuf=1k sndbuf=1k so_keepalive=on deferred reuseport fastopen=3', null],
    ['8080 so_keepalive=1:2:3', null],
    ['[::1]:8080 ipv6only=off', null],
    ['unix:/x', null],
    ['0', 'invalid port in "0" of the "listen" directive'],
    ['65536', 'invalid port in "65536" of the "listen" directive'],
    ['a:b', 'invalid port in "a:b" of the "listen" directive'],
    ['127.0.0.1:', 'invalid port in "127.0.0.1:" of the "listen" directive'],
    ['127.0.0.1:9-8', 'invalid port range in "127.0.0.1:9-8" of the "listen" directive'],
    [':80', 'no host in ":80" of the "listen" directive'],
    ['80/x', 'invalid host in "80/x" of the "listen" directive'],
    ['[::', 'invalid host in "[::" of the "listen" directive'],
    ['[::]x', 'invalid host in "[::]x" of the "listen" directive'],
    ['[:::]:80', 'invalid IPv6 address in "[:::]:80" of the "listen" directive'],
    ['unix:', 'no path in the unix domain socket in "unix:" of the "listen" directive'],
    ['host.invalid:80', 'host not found in "host.invalid:80" of the "listen" directive'],
    ['80 foo', 'invalid parameter "foo"'],
    ['80 foo=1', 'invalid parameter "foo=1"'],
    ['80 backlog=0', 'invalid backlog "backlog=0"'],
    ['80 backlog=x', 'invalid backlog "backlog=x"'],
    ['80 rcvbuf=x', 'invalid rcvbuf "rcvbuf=x"'],
    ['80 fastopen=x', 'invalid fastopen "fastopen=x"'],
    ['80 so_keepalive=::', 'invalid so_keepalive value: "::"'],
    ['[::]:80 ipv6only=x', 'invalid parameter "ipv6only=x"'],
    ['80 quic', 'the "quic" parameter of the "listen" directive is not supported yet'],
  ])('%s', (listen, text) => {
    expect(findings(`server { listen ${listen}; }`)).toEqual(text === null ? [] : [`emerg: ${text}`]);
  });

  const at = (parameters: string) => `server { listen 8080 ${parameters}; server_name ${parameters.length}; }`;
  test.each<[string, string]>([
    ['server { listen 8080; listen *:8080; }', 'a duplicate listen 0.0.0.0:8080'],
    [at('default_server') + at('default'), 'a duplicate default server for 0.0.0.0:8080'],
    [at('backlog=1') + at('backlog=22'), 'duplicate listen options for 0.0.0.0:8080'],
  ])('%s', (http, text) => {
    expect(findings(http)).toEqual([`emerg: ${text}`]);
  });
});

describe('server_name', () => {
  const other = 'server { listen 8080; server_name other; }';
  test.each<[string, readonly string[]]>([
    ['*', ['emerg: server name "*" is invalid']],
    ['*a', ['emerg: server name "*a" is invalid']],
    ['*.', ['emerg: server name "*." is invalid']],
    ['.', ['emerg: server name "." is invalid']],
    ['~', ['emerg: empty regex in server name "~"']],
    ['"~("', ['emerg: pcre2_compile() failed: missing closing parenthesis in "("']],
    ['a/b', ['warn: server name "a/b" has suspicious symbols']],
    ['a..b', ['emerg: invalid server name or wildcard "a..b" on 0.0.0.0:8080']],
    ['a.*.b', ['emerg: invalid server name or wildcard "a.*.b" on 0.0.0.0:8080']],
    ['*.a.*', ['emerg: invalid server name or wildcard "*.a.*" on 0.0.0.0:8080']],
    ['other', ['warn: conflicting server name "other" on 0.0.0.0:8080, ignored']],
    ['.a *.a', ['warn: conflicting server name "*.a" on 0.0.0.0:8080, ignored']],
    ['a.* a.*', ['warn: conflicting server name "a.*" on 0.0.0.0:8080, ignored']],
    ['a _ "" $hostname', []],
  ])('%s', (names, texts) => {
    expect(findings(`${other} server { listen 8080; server_name ${names}; }`)).toEqual(texts);
  });
});

describe('location', () => {
  test.each<[string, string | null]>([
    ['location /a {} location /a {}', 'duplicate location "/a"'],
    ['location =/a {} location = /a {}', 'duplicate location "/a"'],
    ['location /a {} location ^~ /a {}', 'duplicate location "/a"'],
    ['location /a {} location = /a {} location ~ /a {} location ~ /a {} location @a {} location @a {}', null],
    ['location x /a {}', 'invalid location modifier "x"'],
    ['location /a { location /b {} }', 'location "/b" is outside location "/a"'],
    ['location = /a { location /a/b {} }', 'location "/a/b" cannot be inside the exact location "/a"'],
    ['location @a { location /a/b {} }', 'location "/a/b" cannot be inside the named location "@a"'],
    ['location /a { location @b {} }', 'named location "@b" can be on the server level only'],
    ['location ~ a { location /b {} }', 'location "/b" is outside location "a"'],
    ['location ~ a { location ~ b {} }', null],
    ['location ~ "(" {}', 'pcre2_compile() failed: missing closing parenthesis in "("'],
    ['location {}', 'invalid number of arguments in "location" directive'],
    ['location /a { server {} }', '"server" directive is not allowed here'],
  ])('%s', (directives, text) => {
    expect(of(directives)).toEqual(text === null ? [] : [`emerg: ${text}`]);
  });
});

describe('other directives', () => {
  test.each<[string, string | null]>([
    ['types { a/b c; } types { d/e f; }', null],
    ['types { a/b c {} }', 'emerg: unexpected "{"'],
    ['types { a/b c c; }', 'warn: duplicate extension "c", content type: "a/b", previous content type: "a/b"'],
    ['server_tokens x;', 'emerg: invalid value "x"'],
    ['keepalive_timeout x;', 'emerg: "keepalive_timeout" directive invalid value'],
    ['keepalive_timeout 1 x;', 'emerg: "keepalive_timeout" directive invalid value'],
    ['keepalive_timeout 1 2 3;', 'emerg: invalid number of arguments in "keepalive_timeout" directive'],
    ['keepalive_timeout 1; keepalive_timeout 1;', 'emerg: "keepalive_timeout" directive is duplicate'],
    ['client_max_body_size x;', 'emerg: "client_max_body_size" directive invalid value'],
    ['client_max_body_size 1g;', null],
    ['large_client_header_buffers 0 1k;', 'emerg: "large_client_header_buffers" directive invalid value'],
    [
      'large_client_header_buffers 1 100;',
      'emerg: the "large_client_header_buffers" size must be equal to or greater than "connection_pool_size"',
    ],
    ['lingering_close x;', 'emerg: invalid value "x"'],
    ['limit_rate 1g;', 'emerg: "limit_rate" directive invalid value'],
    ['merge_slashes x;', 'emerg: invalid value "x" in "merge_slashes" directive, it must be "on" or "off"'],
    ['location / { merge_slashes on; }', 'emerg: "merge_slashes" directive is not allowed here'],
    ['root a; root b;', 'emerg: "root" directive is duplicate'],
    [
      'location /a { alias b; root c; }',
      'emerg: "root" directive is duplicate, "alias" directive was specified earlier',
    ],
    ['location @a { alias b; }', 'emerg: the "alias" directive cannot be used inside the named location'],
    ['index a /b c;', 'warn: only the last index in "index" directive should be absolute'],
    ['internal;', 'emerg: "internal" directive is not allowed here'],
    ['return;', 'emerg: invalid number of arguments in "return" directive'],
    ['return x;', 'emerg: invalid return code "x"'],
    ['return 1000;', 'emerg: invalid return code "1000"'],
    ['return $arg_x;', 'emerg: invalid return code "$arg_x"'],
    ['return http://a; return $scheme://b;', null],
    ['return 200 $nosuch;', 'emerg: unknown "nosuch" variable'],
    ['allow x;', 'emerg: invalid parameter "x"'],
    ['deny 1.2.3.4/33;', 'emerg: invalid parameter "1.2.3.4/33"'],
    ['deny 300.1.1.1;', 'emerg: invalid parameter "300.1.1.1"'],
    ['allow localhost;', 'emerg: invalid parameter "localhost"'],
    ['allow 1.2.3.4/24;', 'warn: low address bits of 1.2.3.4/24 are meaningless'],
    ['allow ::1/12;', 'warn: low address bits of ::1/12 are meaningless'],
    ['allow unix:; deny all;', null],
    ['add_header a;', 'emerg: invalid number of arguments in "add_header" directive'],
    ['add_header a b c;', 'emerg: invalid parameter "c"'],
    ['add_header a $nosuch;', 'emerg: unknown "nosuch" variable'],
  ])('%s', (directives, text) => {
    expect(of(directives)).toEqual(text === null ? [] : [text]);
  });
});

test('the key of an upstream is checked too', () => {
  expect(findings('upstream u { hash $nosuch; server 127.0.0.1:81; }')).toEqual(['emerg: unknown "nosuch" variable']);
});

test('mistakes in texts stand at their directive', () => {
  const { findings: texts } = compileText(
    'server {\nlisten 8080;\nlocation / {\nadd_header X "${uri";\nreturn 200 $nosuch;\n}\n}',
  );
  expect(texts).toEqual([
    'emerg: the closing bracket in "uri" variable is missing in test.conf:6',
    'emerg: unknown "nosuch" variable in test.conf:7',
  ]);
});
