import { get } from './client-script.ts';
import { type Case, compare } from './compare.ts';

/** What the request line says -> how it is normalised, and what goes on to the upstream. */
const TARGETS = [
  '/a//b',
  '/a/./b',
  '/a/../b',
  '/a/b/..',
  '/a/b/.',
  '/./',
  '/../a',
  '/a/../../b',
  '/%2e%2e/a',
  '/a/%2e%2e/%2e%2e/b',
  '/a%2fb',
  '/a%2Fb//c',
  '/%61%62',
  '/a%20b',
  '/a+b',
  '/a%25b',
  '/a%3fb?c',
  '/a?b?c',
  '/a?b=%20&c=/../d',
  '/a#fragment',
  '/a#fragment?x',
  '/a%23b',
  '/a%',
  '/a%4',
  '/a%zz',
  '/a%00b',
  '/%ff%fe',
  '/\u00c3\u00a9',
  '/a\\b',
  '/a"b',
  '/a<b>',
  '/a{b}|^`',
  '/a;b=c',
  '/.hidden',
  '/...',
  '/a/.../b',
  '/a..b/..c/d..',
  '//',
  '///a///',
  '/a/?',
  '/a/b/../?x=1',
  '/a\x01b',
  '/a\tb',
  '/a\x7fb',
  'http://localhost',
  'http://localhost?x=1',
  'http://localhost/../a',
  'HTTP://LOCALHOST/a',
  'http://localhost:80/a//b',
  'http://',
  'http:///a',
  'http://user@localhost/a',
  'http://[::1]:80/a',
  'ftp://localhost/a',
  'https://localhost/a',
  'a',
  '*',
  'localhost:80',
  '?a',
] as const;

/** Control bytes stay out of the error log. */
const CONTROLS: Readonly<Record<string, RegExp>> = {
  '/a\x01b': /request: "GET \/a\\x01b HTTP\/1.1"$/,
  '/a\tb': /request: "GET \/a\\x09b HTTP\/1.1"$/,
  '/a\x7fb': /request: "GET \/a\\x7fb HTTP\/1.1"$/,
};

const cases = (port: string): Record<string, Case> =>
  Object.fromEntries(
    TARGETS.map((target) => {
      const act = get(target, { port });
      const line = CONTROLS[target];
      return [
        JSON.stringify(target),
        line === undefined
          ? act
          : { act, differs: { because: 'bytes from variables', evenkeel: { 'error log': line } } },
      ];
    }),
  );

compare('URI normalisation', {
  http: `
    log_format uri "$uri $args $status";
    access_log access.log uri;
    server { listen 127.0.0.1:%%PORT%%; return 200 "uri=$uri args=$args is_args=$is_args request_uri=$request_uri"; }`,
  cases: cases('PORT'),
});

compare('URI without merge_slashes', {
  http: `
    server {
      listen 127.0.0.1:%%PORT%%;
      merge_slashes off;
      location // { return 200 "two slashes: $uri"; }
      location / { return 200 "$uri"; }
    }`,
  cases: {
    'slashes stay': get('/a//b'),
    'at the beginning': get('//a'),
    'with dots': get('/a//../b'),
    'with dots and more slashes': get('/a///..//b'),
    'encoded slash': get('/a/%2f/b'),
  },
});
