import { expect, test } from 'vitest';
import { readRequestHead } from '../../../src/h2/request-fields.ts';
import { RequestHead } from '../../../src/http/request-head.ts';
import { SETTINGS } from '../../support/plain-site.ts';

const START = [':method', 'GET', ':path', '/a?b', ':scheme', 'http', ':authority', 'h:80'];

function read(raw: readonly string[], isEnd = true, settings = SETTINGS) {
  const head = new RequestHead();
  const dropped: string[] = [];
  const refusal = readRequestHead(
    { raw, isEnd, settings, storage: (bytes) => Buffer.alloc(bytes), onDropped: (name) => dropped.push(name) },
    head,
  );
  const fields = Array.from(
    { length: head.headers.count },
    (_, i) => `${head.headers.name(i)}: ${head.headers.value(i)}`,
  );
  return { head, dropped, fields, refused: refusal === null ? null : `${refusal.status} ${refusal.reason}` };
}

test('a request as HTTP/1 has it: line, Host, cookies joined', () => {
  const { head, fields, refused } = read([...START, 'cookie', 'a=1', 'x-b', 'v\xe9', 'cookie', 'b=2']);
  expect(refused).toBeNull();
  expect([head.line, head.method, head.target, head.rawHost, head.version]).toEqual([
    'GET /a?b HTTP/2.0',
    'GET',
    '/a?b',
    'h:80',
    20,
  ]);
  expect(fields).toEqual(['host: h:80', 'x-b: v\xe9', 'cookie: a=1; b=2']);
  expect([head.framing, head.keepAlive, head.contentLength]).toEqual(['none', true, -1]);
});

test('how long the body is', () => {
  expect(read(START, false).head.framing).toBe('chunked');
  const known = read([...START, 'content-length', '5'], false).head;
  expect([known.framing, known.contentLength]).toEqual(['length', 5]);
  expect(read([...START, 'content-length', '0'], false).head.framing).toBe('none');
});

test.each<[string, readonly string[], RegExp]>([
  ['no path', [':method', 'GET', ':scheme', 'http', ':authority', 'h'], /^400 client sent no :path header/],
  ['no scheme', [':method', 'GET', ':path', '/', ':authority', 'h'], /^400 client sent no :scheme header/],
  ['no method', [':path', '/', ':scheme', 'http', ':authority', 'h'], /^400 client sent invalid method/],
  ['a method that is none', [':method', 'G T', ':path', '/', ':scheme', 'http'], /^400 client sent invalid method/],
  [
    'a path of another form',
    [':method', 'GET', ':path', 'x', ':scheme', 'http'],
    /^400 client sent invalid :path header: "x"/,
  ],
  [
    'a line within the path',
    [':method', 'GET', ':path', '/ HTTP/1.1\r\nX: y', ':scheme', 'http'],
    /^400 client sent invalid :path/,
  ],
  ['a line within a value', [...START, 'x', 'a\r\nb: c'], /^400 client sent header "x" with invalid value/],
  ['NUL in a value', [...START, 'x', 'a\0'], /^400 client sent header "x" with invalid value/],
  ['an upper-case name', [...START, 'Bad', '1'], /^400 client sent invalid header line: "Bad"/],
  ['a name with a colon', [...START, 'a:b', '1'], /^400 client sent invalid header line/],
  ['an empty name', [...START, '', '1'], /^400 client sent invalid header line/],
  [
    'another Host',
    [...START, 'host', 'other'],
    /^400 client sent "host" header with value different from ":authority"/,
  ],
  [
    'a unique field twice',
    [...START, 'authorization', 'a', 'authorization', 'b'],
    /^400 client sent duplicate header line/,
  ],
  ['a length that is none', [...START, 'content-length', '+5'], /^400 client sent invalid "Content-Length" header/],
  ['a field that is too large', [...START, 'x', 'v'.repeat(9000)], /^494 client sent too large header field/],
  [
    'too many fields',
    [...START, ...Array.from({ length: 8 }, (_, i) => [`x${i}`, 'v'.repeat(8000)]).flat()],
    /^494 client sent too large request/,
  ],
])('%s is refused', (_title, raw, reason) => {
  expect(read(raw).refused).toMatch(reason);
});

test('a Host that says the same is no other; one alone is the host', () => {
  expect(read([...START, 'host', 'H:80']).fields).toEqual(['host: h:80']);
  expect(read([...START.slice(0, 6), 'host', 'only']).head.rawHost).toBe('only');
});

test('odd names are left out, or taken where ignore_invalid_headers is off', () => {
  const odd = [...START, 'x!y', '1', 'x_y', '2'];
  expect(read(odd)).toMatchObject({ dropped: ['x!y', 'x_y'], fields: ['host: h:80'] });
  expect(read(odd, true, { ...SETTINGS, ignoreInvalidHeaders: false }).fields).toEqual([
    'host: h:80',
    'x!y: 1',
    'x_y: 2',
  ]);
  expect(read(odd, true, { ...SETTINGS, underscoresInHeaders: true })).toMatchObject({
    dropped: ['x!y'],
    fields: ['host: h:80', 'x_y: 2'],
  });
});
