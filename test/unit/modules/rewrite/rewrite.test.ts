import { describe, expect, test } from 'vitest';
import { beginExchange } from '../../../../src/http/phases.ts';
import { compileGroup, compileText } from '../../../support/compile-text.ts';
import { ask, type FakeRequest, fakeExchange } from '../../../support/fake-client-stream.ts';

/** The body that a server of these directives answers with. */
function answer(directives: string, request: FakeRequest = {}): string {
  return ask(compileGroup(`server { listen 8080; ${directives} }`), request).body;
}

describe('rewrite', () => {
  const SEEN = 'location = /seen { return 200 "$uri?$args"; }';
  test.each<[string, string, string, string]>([
    ['a path', 'rewrite ^/a/(.*)$ /seen?x=$1 last;', '/a/b', '/seen?x=b'],
    ['arguments in front', 'rewrite ^/a /seen?x=1 last;', '/a?y=2', '/seen?x=1&y=2'],
    ['arguments dropped', 'rewrite ^/a /seen? last;', '/a?y=2', '/seen?'],
    ['escaped in arguments', 'rewrite ^/a/(.*)$ /seen?x=$1 last;', '/a/%26%20', '/seen?x=%26%20'],
    ['a plus in arguments', 'rewrite ^/a/(.*)$ /seen?x=$1 last;', '/a/b+&', '/seen?x=b%2B%26'],
    ['one after the other', 'rewrite ^/a /b; rewrite ^/b /seen;', '/a', '/seen?'],
  ])('%s', (_name, directives, target, body) => {
    expect(answer(`location / { ${directives} } ${SEEN}`, { target })).toBe(body);
  });

  test('break stays where it is', () => {
    const body = answer('location /a { rewrite ^/a(.*)$ /b$1 break; } location /b { return 200 never; }', {
      target: '/a/x',
    });
    expect(body).toContain('404 Not Found');
  });

  test.each<[string, number, string]>([
    ['rewrite ^/(.*)$ http://other.example/$1;', 302, 'http://other.example/a%20b?c=d'],
    ['rewrite ^/(.*)$ https://other.example/$1? permanent;', 301, 'https://other.example/a%20b'],
    ['rewrite ^ /to?x=y redirect;', 302, 'http://localhost:8080/to?x=y&c=d'],
  ])('%s', (directive, status, location) => {
    const group = compileGroup(`server { listen 8080; ${directive} }`);
    const { head } = ask(group, { target: '/a%20b?c=d' });
    expect(head).toMatchObject({ status, fields: [`Location: ${location}`] });
  });

  test('ten times at most', () => {
    const { runtime, logLines } = compileText(
      'error_log e; server { listen 8080; location / { rewrite ^(.*)$ $1x last; } }',
    );
    const group = runtime?.listeners[0]?.group;
    if (group === undefined) throw new Error('nothing listens');
    expect(ask(group, { target: '/' }).head?.status).toBe(500);
    const said = [...logLines.values()].flat().join('');
    expect(said).toContain('rewrite or internal redirection cycle while processing "/xxxxxxxxxxx"');
  });

  test('what is left of a rewritten request', () => {
    const group = compileGroup('server { listen 8080; rewrite ^/a$ /b break; location / { return 204; } }');
    const { ex } = fakeExchange({ target: '/a' }, group);
    beginExchange(ex, group);
    expect(ex).toMatchObject({ uri: '/b', isInternal: true, isUriChanged: true, isPrefixValid: false, redirects: 0 });
    ex.reset(group.defaultServer);
    expect(ex).toMatchObject({ isInternal: false, isUriChanged: false, isPrefixValid: true, limitRateBytes: -1 });
  });
});

describe('if', () => {
  const holds = (condition: string, request: FakeRequest = {}) =>
    answer(`set $r no; if (${condition}) { set $r yes; } location / { return 200 $r; }`, request) === 'yes';

  test.each<[string, string, boolean]>([
    ['$arg_a', '/', false],
    ['$arg_a', '/?a=0', false],
    ['$arg_a', '/?a=00', true],
    ['$arg_a = b', '/?a=b', true],
    ['$arg_a = b', '/?a=B', false],
    ['$arg_a != b', '/?a=B', true],
    ['$arg_a = ""', '/', true],
    ['$arg_a = $arg_b', '/?a=1&b=1', true],
    ['$arg_a ~ ^b+$', '/?a=bb', true],
    ['$arg_a ~ ^b+$', '/?a=BB', false],
    ['$arg_a ~* ^b+$', '/?a=BB', true],
    ['$arg_a !~ ^b+$', '/?a=BB', true],
    ['$arg_a !~* ^b+$', '/?a=BB', false],
    ['-d /', '/', true],
    ['!-d /', '/', false],
    ['-f /', '/', false],
    ['-e /$arg_a', '/?a=no-such-file', false],
    ['!-e /$arg_a', '/?a=no-such-file', true],
    ['-x /', '/', true],
  ])('(%s) of %s: %s', (condition, target, expected) => {
    expect(holds(condition, { target })).toBe(expected);
  });

  test('puts what it says in the place of its location', () => {
    const group = compileGroup(
      `server { listen 8080; location / {
        add_header X outer; if ($arg_a) { add_header X inner; } if ($arg_b) { return 403; } return 200; } }`,
    );
    const fields = (target: string) => ask(group, { target }).head?.fields;
    expect(fields('/')).toEqual(['X: outer']);
    expect(fields('/?a=1')).toEqual(['X: inner']);
    expect(ask(group, { target: '/?b=1' }).head?.status).toBe(403);
  });

  test('keeps the access rules of its location', () => {
    const group = compileGroup('server { listen 8080; location / { deny all; if ($arg_a) { set $x 1; } } }');
    expect(ask(group, { target: '/?a=1' }).head?.status).toBe(403);
  });
});

describe('set', () => {
  test('gives values in order', () => {
    expect(answer('set $a 1; set $b "$a-2"; set $a "$b!"; return 200 "$a $b";')).toBe('1-2! 1-2');
  });

  test('that was not reached is a warning, once', () => {
    const { runtime, logLines } = compileText(
      'error_log e warn; server { listen 8080; location / { return 200 "[$a$a]"; } location /x { set $a 1; } }',
    );
    const group = runtime?.listeners[0]?.group;
    if (group === undefined) throw new Error('nothing listens');
    expect(ask(group, {}).body).toBe('[]');
    const warnings = [...logLines.values()].flat().filter((line) => line.includes('[warn]'));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('using uninitialized "a" variable');
  });

  test('of a header hides the header where it was reached', () => {
    const directives = 'if ($arg_a) { set $http_x made; } location / { return 200 "$http_x"; }';
    expect(answer(directives, { target: '/?a=1', fields: ['X: sent'] })).toBe('made');
    expect(answer(directives, { target: '/', fields: ['X: sent'] })).toBe('sent');
  });

  test('of $args', () => {
    expect(answer('set $args "x=y"; return 200 "$args $arg_x";', { target: '/?a=b' })).toBe('x=y y');
  });
});

describe('limit_except', () => {
  const group = compileGroup(`server { listen 8080; location / {
    limit_except GET { deny all; } return 200 "returned"; } }`);
  test.each([
    ['GET', 200],
    ['HEAD', 200],
    ['POST', 403],
    ['FROB', 403],
  ])('%s: %d', (method, status) => {
    expect(ask(group, { method }).head?.status).toBe(status);
  });
});
