import { gzipSync } from 'node:zlib';
import { replyAndClose } from '../support/scripted-backend.ts';
import { get } from './client-script.ts';
import { compare } from './compare.ts';
import { FILE_TIME } from './normalize.ts';

const TEXT = 'The quick brown fox jumps over the lazy dog. '.repeat(40);
const GZIP = { 'Content-Type': 'text/html', 'Content-Encoding': 'gzip', ETag: '"1"' };
const gzip = { headers: ['Accept-Encoding: gzip'] };

compare('several body filters', {
  backends: {
    PACKED: replyAndClose(gzipSync(TEXT).toString('latin1'), '200 OK', GZIP),
    PLAIN: replyAndClose(TEXT, '200 OK', { 'Content-Type': 'text/html; charset=utf-8', ETag: '"1"' }),
  },
  files: { 'www/page.html': TEXT },
  http: `
    types { text/html html; }
    gzip on;
    server {
      listen 127.0.0.1:%%PORT%%;
      root %%DIR%%/www;
      location / { sub_filter quick slow; sub_filter_once off; add_trailer X-After $status; }
      location /charset/ { charset utf-8; alias %%DIR%%/www/; }
      location /typed { default_type "text/html; charset=utf-8"; return 200 "${TEXT}"; }
      location /typed-any { gzip_types *; default_type "text/html; charset=utf-8"; return 200 "${TEXT}"; }
      location /checked { auth_request /auth; alias %%DIR%%/www/page.html; }
      location /auth { internal; sub_filter quick slow; add_trailer X-Auth a; proxy_pass http://%%PLAIN%%; }
      location /proxied { proxy_pass http://%%PLAIN%%; }
      location /proxied-sub { sub_filter quick slow; proxy_pass http://%%PLAIN%%; }
      location /packed-sub { gunzip on; sub_filter quick slow; sub_filter_once off; proxy_pass http://%%PACKED%%; }
      location /all {
        gunzip on; sub_filter quick slow; sub_filter_once off; charset koi8-r; add_trailer X-After a; add_header X-A a;
        proxy_pass http://%%PACKED%%;
      }
    }`,
  cases: Object.fromEntries(
    ['page.html', 'charset/page.html', 'typed', 'typed-any', 'checked', 'proxied', 'proxied-sub', 'packed-sub', 'all']
      .flatMap((name) => [
        [`${name}: gzip taken`, get(`/${name}`, gzip)] as const,
        [`${name}: gzip not taken`, get(`/${name}`)] as const,
        [`${name}: HEAD`, get(`/${name}`, { ...gzip, method: 'HEAD' })] as const,
        [`${name}: a range`, get(`/${name}`, { headers: ['Range: bytes=0-9'] })] as const,
      ])
      .map(([name, act]) => [name, { act, normalize: [FILE_TIME] }]),
  ),
});
