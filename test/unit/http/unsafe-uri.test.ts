import { expect, test } from 'vitest';
import { parseUnsafeUri } from '../../../src/http/unsafe-uri.ts';

test.each([
  ['/a', '/a', ''],
  ['/a?b=c?d', '/a', 'b=c?d'],
  ['/a%20b?%20', '/a b', '%20'],
  ['/a//./b', '/a//./b', ''],
  ['/..a/b..', '/..a/b..', ''],
  ['/50%', '/50%', ''],
  ['a', 'a', ''],
])('%j is taken as it stands', (text, uri, args) => {
  expect(parseUnsafeUri(text)).toEqual({ uri, args });
});

test.each(['', '?a', '..', '../a', '/..', '/a/../b', '/a/..?b', '/a/.%2e', '/a/%2e%2e/b', '/a%2f..', '/a%00', '/\0'])(
  '%j is unsafe',
  (text) => {
    expect(parseUnsafeUri(text)).toBeNull();
  },
);
