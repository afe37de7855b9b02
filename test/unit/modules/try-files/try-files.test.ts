import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { beginExchange } from '../../../../src/http/phases.ts';
import { compileGroup } from '../../../support/compile-text.ts';
import { fakeExchange } from '../../../support/fake-client-stream.ts';
import { tempFolder } from '../../../support/temp-folder.ts';

const site = tempFolder('try-files');
afterAll(() => rmSync(site, { recursive: true, force: true }));
writeFileSync(join(site, 'here.txt'), 'here');
mkdirSync(join(site, 'folder'));

const group = compileGroup(`
  server {
    listen 8080;
    root ${site};
    location / { try_files $uri $uri/ @last; }
    location /up { try_files $arg_to =404; }
    location @last { return 200 "last $uri"; }
  }`);

test.each([
  ['/here.txt', 200, 'here'],
  ['/folder', 301, ''],
  ['/none', 200, 'last /none'],
  ['/up?to=/here.txt', 200, 'here'],
  ['/up?to=/../../../../../../etc/passwd', 500, ''],
])('%s', (target, status, body) => {
  const { ex, stream } = fakeExchange({ target }, group);
  beginExchange(ex, group);
  expect(stream.head?.status).toBe(status);
  expect(stream.body.startsWith(body)).toBe(true);
  expect(stream.body).not.toContain('root:');
});
