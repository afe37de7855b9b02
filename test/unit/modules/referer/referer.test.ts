import { expect, test } from 'vitest';
import { compileGroup } from '../../../support/compile-text.ts';
import { ask } from '../../../support/fake-client-stream.ts';

test.each<[string, string | null, boolean]>([
  ['none a.example', null, true],
  ['a.example', null, false],
  ['a.example', 'http://a.example/', true],
  ['a.example', 'HTTPS://A.example', true],
  ['a.example', 'http://b.example/', false],
  ['a.example/x/', 'http://a.example/x/y', true],
  ['a.example/x/', 'http://a.example/y', false],
  ['a.example/x/', 'http://a.example:80/x/', true],
  ['*.a.example', 'http://b.a.example/', true],
  ['a.example', 'garbage that is long', false],
  ['blocked a.example', 'garbage that is long', true],
  ['~^a\\.', 'http://A.example/x', true],
  ['server_names', 'http://own.example/', true],
  ['server_names', 'http://x.example/', false],
  ['server_names a.example', 'http://re9.example/', true],
])('valid_referers %s, %s: %s', (words, referer, isValid) => {
  const group = compileGroup(`server {
    listen 8080; server_name own.example ~^re\\d\\.; valid_referers ${words}; return 200 "[$invalid_referer]"; }`);
  const fields = referer === null ? [] : [`Referer: ${referer}`];
  expect(ask(group, { fields }).body).toBe(isValid ? '[]' : '[1]');
});
