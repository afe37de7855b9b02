import { expect, test } from 'vitest';
import { beginExchange } from '../../../src/http/phases.ts';
import { compileGroup } from '../../support/compile-text.ts';
import { fakeExchange } from '../../support/fake-client-stream.ts';

const group = compileGroup(`
  server {
    listen 8080;
    auth_basic x;
    auth_basic_user_file /dev/null;
    try_files /none @yes;
    location /all { try_files /none @yes; allow all; }
    location /any-yes { satisfy any; try_files /none @yes; allow all; }
    location /any-no { satisfy any; try_files /none @yes; deny all; }
    location @yes { auth_basic off; return 200 yes; }
  }`);

test.each([
  ['/all', 401],
  ['/any-yes', 200],
  ['/any-no', 401],
])('%s: %i', (target, status) => {
  const { ex, stream } = fakeExchange({ target }, group);
  beginExchange(ex, group);
  expect(stream.head?.status).toBe(status);
  expect(stream.head?.fields).toEqual(status === 401 ? ['WWW-Authenticate: Basic realm="x"'] : []);
  expect(ex.accessStatus).toBe(0);
});
