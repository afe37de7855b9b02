import { chmodSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { get, post, raw, request } from './client-script.ts';
import { compare } from './compare.ts';

const SITE = tempFolder('packed');
afterAll(() => rmSync(SITE, { recursive: true, force: true }));
chmodSync(SITE, 0o755);
const TEXT = 'The quick brown fox jumps over the lazy dog. '.repeat(40);
const TIME = Date.parse('Tue, 05 Mar 2024 10:20:30 GMT') / 1000;

function file(path: string, content: string | Buffer): void {
  writeFileSync(join(SITE, path), content);
  utimesSync(join(SITE, path), TIME, TIME);
}
const packed = gzipSync(`packed: ${TEXT}`);
file('both.html', TEXT);
file('both.html.gz', packed);
file('only-packed.html.gz', packed);
file('only-plain.html', TEXT);
file('index.html', TEXT);
file('index.html.gz', packed);
file('folder.html', TEXT);
mkdirSync(join(SITE, 'folder.html.gz'));

const gzip = { headers: ['Accept-Encoding: gzip'] };
const andRange = { headers: ['Accept-Encoding: gzip', 'Range: bytes=0-9'] };
const since = { headers: ['Accept-Encoding: gzip', 'If-Modified-Since: Tue, 05 Mar 2024 10:20:30 GMT'] };
const unmodified = { headers: ['Accept-Encoding: gzip', 'If-Match: "other"'] };
const locations = ['off', 'on', 'always'];

compare('gzip_static', {
  addresses: () => ({ SITE }),
  http: `
    types { text/html html; }
    server {
      listen 127.0.0.1:%%PORT%%;
      root %%SITE%%;
      ${locations.map((rule) => `location /${rule}/ { gzip_static ${rule}; alias %%SITE%%/; }`).join('\n')}
      location /vary/ { gzip_static on; gzip_vary on; alias %%SITE%%/; }
      location /vary-always/ { gzip_static always; gzip_vary on; alias %%SITE%%/; }
      location /gzip/ { gzip on; gzip_static on; alias %%SITE%%/; }
      location /gunzip/ { gunzip on; gzip_static always; alias %%SITE%%/; }
      location /disabled/ { gzip_disable x; gzip_static on; alias %%SITE%%/; }
      location /inherited/ { gzip_static on; location /inherited/inner/ { alias %%SITE%%/; } }
    }`,
  cases: Object.fromEntries([
    ...locations.flatMap((rule) => [
      [`${rule}: both, gzip taken`, get(`/${rule}/both.html`, gzip)],
      [`${rule}: both, gzip not taken`, get(`/${rule}/both.html`)],
      [`${rule}: only the packed one`, get(`/${rule}/only-packed.html`, gzip)],
      [`${rule}: only the packed one, gzip not taken`, get(`/${rule}/only-packed.html`)],
      [`${rule}: only the plain one`, get(`/${rule}/only-plain.html`, gzip)],
      [`${rule}: none`, get(`/${rule}/none.html`, gzip)],
      [`${rule}: HEAD`, get(`/${rule}/both.html`, { ...gzip, method: 'HEAD' })],
      [`${rule}: POST`, post(`/${rule}/both.html`, 'x', gzip)],
      [`${rule}: a folder of that name`, get(`/${rule}/folder.html`, gzip)],
      [`${rule}: an index`, get(`/${rule}/`, gzip)],
      [`${rule}: a range`, get(`/${rule}/both.html`, andRange)],
      [`${rule}: not modified`, get(`/${rule}/both.html`, since)],
      [`${rule}: a condition that fails`, get(`/${rule}/both.html`, unmodified)],
    ]),
    [
      'a malformed body',
      raw(request('/on/both.html', { headers: ['Accept-Encoding: gzip', 'Transfer-Encoding: chunked'] }), 'zz\r\n'),
    ],
    ['vary: taken', get('/vary/both.html', gzip)],
    ['vary: not taken', get('/vary/both.html')],
    ['vary: only the plain one', get('/vary/only-plain.html')],
    ['vary, always', get('/vary-always/both.html')],
    ['with gzip', get('/gzip/both.html', gzip)],
    ['with gzip, only the plain one', get('/gzip/only-plain.html', gzip)],
    ['with gunzip, gzip taken', get('/gunzip/only-packed.html', gzip)],
    ['with gunzip, gzip not taken', get('/gunzip/only-packed.html')],
    ['with gunzip, a range', get('/gunzip/only-packed.html', { headers: ['Range: bytes=0-9'] })],
    ['inherited', get('/inherited/inner/both.html', gzip)],
    ['gzip_disable', get('/disabled/both.html', { headers: ['Accept-Encoding: gzip', 'User-Agent: x'] })],
    ['through a proxy', get('/on/both.html', { headers: ['Accept-Encoding: gzip', 'Via: x'] })],
  ]),
});
