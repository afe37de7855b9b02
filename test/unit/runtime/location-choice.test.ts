import { describe, expect, test } from 'vitest';
import { compileGroup } from '../../support/compile-text.ts';
import { ask } from '../../support/fake-client-stream.ts';

/** A server with locations that answer with their own name (less any `$`) and the first capture. */
function locations(...names: readonly string[]): string {
  return `server { listen 8080; ${names.map((name) => `location ${name} { return 200 '${name.replaceAll('$', '')} $1'; }`).join('\n')} }`;
}

const chosen = (group: ReturnType<typeof compileGroup>, target: string) => {
  const { head, body } = ask(group, { target });
  return head?.status === 200 ? body : head?.status;
};

describe('exact, prefix and regex', () => {
  const group = compileGroup(
    locations(
      '= /',
      '/',
      '= /exact',
      '/exact/',
      '/a',
      '/ab',
      '/abc/',
      '^~ /static/',
      '~ \\.php$',
      '~* \\.(gif|jpg)$',
      '~ ^/a/(x+)',
    ),
  );

  test.each<[string, string]>([
    ['/', '= / '],
    ['/x', '/ '],
    ['/exact', '= /exact '],
    ['/exact/', '/exact/ '],
    ['/exactly', '/ '],
    ['/a', '/a '],
    ['/aa', '/a '],
    ['/ab', '/ab '],
    ['/abc', '/ab '],
    ['/abc/d', '/abc/ '],
    ['/x.php', '~ \\.php '],
    ['/x.PHP', '/ '],
    ['/ab.GIF', '~* \\.(gif|jpg) GIF'],
    ['/static/x.php', '^~ /static/ '],
    ['/a/xx.php', '~ \\.php '],
    ['/a/xx', '~ ^/a/(x+) xx'],
    ['/%61b', '/ab '],
    ['/./a//', '/a '],
  ])('%s', (target, text) => {
    expect(chosen(group, target)).toBe(text);
  });
});

test('nothing fits: 404', () => {
  expect(chosen(compileGroup(locations('/only/')), '/other')).toBe(404);
});

describe('nested locations', () => {
  const nested = (outer: string, inner: string) =>
    `location ${outer} { location ${inner} { return 200 inner; } return 200 outer; }`;
  const group = compileGroup(`
    server {
      listen 8080;
      ${nested('/a', '/a/b')}
      ${nested('/r', '~ \\.x$')}
      ${nested('^~ /n', '/n/deep')}
      ${nested('~ ^/rx', '~ y$')}
      location ~ \\.x$ { return 200 outer-regex; }
      location ~ deep { return 200 deep-regex; }
    }`);

  test.each<[string, string]>([
    ['/a', 'outer'],
    ['/a/b', 'inner'],
    ['/a/b.x', 'outer-regex'],
    ['/r/1.x', 'inner'],
    ['/r/1.y', 'outer'],
    ['/n/deep', 'inner'],
    ['/n/other.x', 'outer'],
    ['/rx', 'outer'],
    ['/rxy', 'inner'],
  ])('%s', (target, text) => {
    expect(chosen(group, target)).toBe(text);
  });
});

test('of 500 locations the longest prefix is found', () => {
  const names = Array.from({ length: 500 }, (_, i) => `/service/${i}/`);
  const group = compileGroup(locations(...names));
  for (const i of [0, 7, 77, 499]) expect(chosen(group, `/service/${i}/x`)).toBe(`/service/${i}/ `);
  expect(chosen(group, '/service/500/')).toBe(404);
});

test('settings are those of the location', () => {
  const group = compileGroup(`
    server {
      listen 8080;
      client_max_body_size 10;
      location /large { client_max_body_size 100; location /large/none { client_max_body_size 0; return 200; } return 200; }
      location / { return 200; }
    }`);
  const post = (target: string, contentLength: number) =>
    ask(group, { method: 'POST', target, contentLength }).head?.status;
  expect(post('/', 11)).toBe(413);
  expect(post('/large', 11)).toBe(200);
  expect(post('/large', 101)).toBe(413);
  expect(post('/large/none', 101)).toBe(200);
});

test('an internal location is hidden from clients', () => {
  expect(chosen(compileGroup('server { listen 8080; location / { internal; return 200; } }'), '/')).toBe(404);
});

test('named captures are variables', () => {
  const group = compileGroup(
    `server { listen 8080; location ~ ^/(?<user>\\w+)/(?P<id>\\d+)$ { return 200 "$user:$id:$2"; } }`,
  );
  expect(chosen(group, '/ann/7')).toBe('ann:7:7');
});
