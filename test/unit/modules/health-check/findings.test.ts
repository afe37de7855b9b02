import { describe, expect, test } from 'vitest';
import { compileText } from '../../../support/compile-text.ts';

const UPSTREAMS = 'upstream u { zone u 64k; server 127.0.0.1:1; } upstream plain { server 127.0.0.1:1; }';
const MATCHES = `match http { status 200; } match tcp { send "PING\\r\\n"; expect "+PONG"; }`;

/** Findings of a location's content; it is in line 5. */
function findingsOf(location: string, more = ''): readonly string[] {
  return compileText(`${UPSTREAMS}\n${MATCHES} ${more}\nserver { listen 80; location / { ${location} } }`).findings;
}

const proxied = (check: string): readonly string[] => findingsOf(`proxy_pass http://u; health_check ${check};`);

describe('health_check', () => {
  test.each([
    [''],
    ['interval=10 jitter=500ms fails=3 passes=2 uri=/health?x=1 port=8081 match=http'],
    ['mandatory'],
    ['mandatory persistent keepalive_time=60s'],
    ['type=http'],
    ['type=tcp'],
    ['type=tcp match=tcp'],
    ['type=postgres user=probe dbname=app role=replica max_lag=10s max_lag_bytes=16m'],
    ['type=redis role=master'],
  ])('takes "%s"', (check) => {
    expect(proxied(check)).toEqual([]);
  });

  test.each([
    ['interval=0', 'invalid parameter "interval=0"'],
    ['interval=x', 'invalid parameter "interval=x"'],
    ['jitter=-1', 'invalid parameter "jitter=-1"'],
    ['fails=0', 'invalid parameter "fails=0"'],
    ['passes=x', 'invalid parameter "passes=x"'],
    ['uri=health', 'invalid parameter "uri=health"'],
    ['port=0', 'invalid parameter "port=0"'],
    ['port=65536', 'invalid parameter "port=65536"'],
    ['match=', 'invalid parameter "match="'],
    ['match=nosuch', 'unknown match "nosuch"'],
    ['persistent', '"persistent" requires "mandatory"'],
    ['type=grpc', 'health checks of type "grpc" are not supported'],
    ['type=udp', 'invalid parameter "type=udp"'],
    ['nonsense', 'invalid parameter "nonsense"'],
    ['type=tcp uri=/x', 'parameter "uri=" is not for health checks of type "tcp"'],
    ['role=primary', 'parameter "role=" is not for health checks of type "http"'],
    ['type=redis role=primary', 'invalid parameter "role=primary"'],
    ['type=tcp match=http', 'match "http" is not for health checks of type "tcp"'],
    ['match=tcp', 'match "tcp" is not for health checks of type "http"'],
    ['type=redis password_file=nosuch', 'open() "/nowhere/nosuch" failed (2: No such file or directory)'],
  ])('%s: %s', (check, finding) => {
    expect(proxied(check)).toEqual([`emerg: ${finding} in test.conf:5`]);
  });

  test.each([
    ['health_check;', 'no "proxy_pass" in the location of "health_check"'],
    ['proxy_pass http://plain; health_check;', '"health_check" requires a "zone" in upstream "plain"'],
    ['proxy_pass http://127.0.0.1:1; health_check;', '"health_check" requires a "zone" in upstream "127.0.0.1:1"'],
    ['proxy_pass http://$host; health_check;', '"health_check" cannot be used where "proxy_pass" has variables'],
  ])('in "%s"', (location, finding) => {
    expect(findingsOf(location)).toEqual([`emerg: ${finding} in test.conf:5`]);
  });

  test('is for locations', () => {
    expect(compileText('server { health_check; }').findings).toEqual([
      'emerg: "health_check" directive is not allowed here in test.conf:3',
    ]);
  });
});

describe('match', () => {
  test.each([
    ['status 200;'],
    ['status 200 204 300-399;'],
    ['status ! 500 501-599;'],
    [
      'header Content-Type = text/html; header ! X-Bad; header X-Good; header X-A != b; header X-C ~ d; header X-E !~* f;',
    ],
    ['body ~ "Welcome to (a|b)"; body !~ error;'],
    ['require $upstream_http_x_ok $host;'],
    ['send "a\\x0d\\x0a"; expect ~ "^b";'],
    [''],
  ])('takes "%s"', (lines) => {
    expect(findingsOf('return 204;', `match m { ${lines} }`)).toEqual([]);
  });

  test.each([
    ['status;', 'invalid number of arguments in "status" directive'],
    ['status !;', 'invalid number of arguments in "status" directive'],
    ['status 99;', 'invalid status "99"'],
    ['status 300-200;', 'invalid status "300-200"'],
    ['status 200; status 204;', '"status" directive is duplicate'],
    ['header;', 'invalid number of arguments in "header" directive'],
    ['header A ? b;', 'unknown operator "?"'],
    ['body = b;', 'unknown operator "="'],
    ['body ~ "(";', 'pcre2_compile() failed: missing closing parenthesis in "("'],
    ['require;', 'invalid number of arguments in "require" directive'],
    ['expect != a;', 'unknown operator "!="'],
    ['status 200; send a;', 'match "m" has tests of HTTP and of TCP'],
    ['listen 80;', 'unknown directive "listen"'],
  ])('%s: %s', (lines, finding) => {
    expect(findingsOf('return 204;', `match m { ${lines} }`)).toEqual([`emerg: ${finding} in test.conf:4`]);
  });

  test('a name stands once, and an unknown variable is found where it is required', () => {
    expect(findingsOf('return 204;', 'match m { } match m { }')).toEqual(['emerg: duplicate match "m" in test.conf:4']);
    expect(findingsOf('proxy_pass http://u; health_check match=m;', 'match m { require $nosuch; }')).toEqual([
      'emerg: unknown "nosuch" variable in test.conf:4',
    ]);
  });
});
