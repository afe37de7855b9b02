import { expect, test } from 'vitest';
import { unescapeRedirect } from '../../../../src/modules/rewrite/unescape-redirect.ts';

test.each([
  ['/plain', '/plain'],
  ['/%41%7e', '/A~'],
  ['/%20%0d%0a%25', '/%20%0d%0a%25'],
  ['/%7f%c3%A9', '/%7f%c3%A9'],
  ['/a%3fb%41', '/a?b%41'],
  ['/a?%41', '/a?%41'],
  ['/%', '/'],
  ['/%4', '/'],
  ['/%zz', '/zz'],
  ['/%4z', '/'],
])('%s becomes %s', (text, result) => {
  expect(unescapeRedirect(text)).toBe(result);
});
