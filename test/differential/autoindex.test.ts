import { chmodSync, lutimesSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { get, inSuccession, post, request } from './client-script.ts';
import { compare } from './compare.ts';

/** Both programs live here, so that local time is another than UTC, and not by whole hours. */
process.env['TZ'] = 'Asia/Kolkata';

/** One site for both programs, so that times and sizes are the same. */
const SITE = tempFolder('listed');
afterAll(() => {
  chmodSync(join(SITE, 'locked'), 0o755);
  rmSync(SITE, { recursive: true, force: true });
});
chmodSync(SITE, 0o755);

const TIME = Date.parse('Tue, 05 Mar 2024 10:20:30 GMT') / 1000;

function file(path: string, sizeBytes = 5, timeSec = TIME): void {
  const whole = Buffer.from(join(SITE, path), 'latin1');
  writeFileSync(whole, Buffer.alloc(sizeBytes));
  utimesSync(whole, timeSec, timeSec);
}

function folder(path: string): void {
  const whole = Buffer.from(join(SITE, path), 'latin1');
  mkdirSync(whole, { recursive: true });
  utimesSync(whole, TIME, TIME);
}

function link(target: string, path: string): void {
  symlinkSync(target, join(SITE, path));
  lutimesSync(join(SITE, path), TIME, TIME);
}

const UMLAUT = '\xc3\xa9';
folder('names');
for (const name of [
  'a.txt',
  'B.txt',
  '~tilde',
  'with space',
  'q?#%&+;=@!',
  'a:b',
  '<b>&"\'',
  'back\\slash',
  'tab\tnew\nline',
  '\x01\x1f',
])
  file(`names/${name}`);
for (const length of [48, 49, 50, 51, 60, 255]) file(`names/${'f'.repeat(length)}`);
for (const length of [47, 49, 50, 51, 60]) folder(`names/${'d'.repeat(length)}`);
for (const name of [
  `caf${UMLAUT}`,
  UMLAUT.repeat(50),
  UMLAUT.repeat(51),
  `${UMLAUT}<`.repeat(30),
  '\xe9t\xe9',
  '<'.repeat(60),
])
  file(`names/${name}`);
file('names/.hidden');
folder('names/.hidden-folder');
folder('sizes');
for (const size of [0, 1, 9999, 10_000, 10_751, 10_752, 1_048_575, 1_048_576, 1_572_863, 1_572_864])
  file(`sizes/${size}`, size);
file('sizes/old', 1, 0);
file('sizes/new', 1, 4_000_000_000);
folder('links');
folder('links/folder');
file('links/file', 7);
link('folder', 'links/to-folder');
link('file', 'links/to-file');
link('nowhere', 'links/broken');
link('loop', 'links/loop');
link('../locked/x', 'links/to-locked');
folder('empty');
folder('with-index');
file('with-index/index.html');
folder('many');
for (let i = 0; i < 700; i++) file(`many/file ${i}`);
folder('half');
file('half/x');
chmodSync(join(SITE, 'half'), 0o711);
folder('locked');
file('locked/x');
chmodSync(join(SITE, 'locked'), 0o700);
for (const path of ['', 'names', 'sizes', 'links', 'empty', 'with-index', 'many', 'half'])
  utimesSync(join(SITE, path), TIME, TIME);

compare('autoindex', {
  addresses: () => ({ SITE }),
  main: 'user nobody nogroup;',
  http: `
    server {
      listen 127.0.0.1:%%PORT%%;
      root %%SITE%%;
      autoindex on;
      location / { }
      location /off/ { autoindex off; alias %%SITE%%/names/; }
      location /rounded/ { autoindex_exact_size off; alias %%SITE%%/sizes/; }
      location /local/ { autoindex_localtime on; alias %%SITE%%/sizes/; }
      location /json/ { autoindex_format json; alias %%SITE%%/; }
      location /jsonp/ { autoindex_format jsonp; alias %%SITE%%/; }
      location /xml/ { autoindex_format xml; autoindex_localtime on; alias %%SITE%%/; }
      location /xml/html/ { autoindex_format html; alias %%SITE%%/sizes/; }
      location /header/ { add_header X-Listed $uri; alias %%SITE%%/links/; }
      location /by-link/ { disable_symlinks on from=%%SITE%%; alias %%SITE%%/links/; }
      location /error/ { error_page 403 404 = /sizes/; alias %%SITE%%/; }
      location /limited/ { limit_rate 100m; alias %%SITE%%/many/; }
      location /"<quoted>/ { alias %%SITE%%/empty/; }
    }`,
  cases: {
    names: get('/names/'),
    sizes: get('/sizes/'),
    links: get('/links/'),
    empty: get('/empty/'),
    'an index comes first': get('/with-index/'),
    'many entries': get('/many/'),
    'a name with what HTML needs escaped': get('/%22%3Cquoted%3E/'),
    'without a slash': get('/names'),
    off: get('/off/'),
    'rounded sizes': get('/rounded/'),
    'local time': get('/local/'),
    'JSON: names': get('/json/names/'),
    'JSON: sizes': get('/json/sizes/'),
    'JSON: links': get('/json/links/'),
    'JSON: empty': get('/json/empty/'),
    'JSONP without a callback': get('/jsonp/links/'),
    'JSONP with an empty callback': get('/jsonp/links/?callback='),
    JSONP: get('/jsonp/links/?callback=a.B_9'),
    'JSONP, empty': get('/jsonp/empty/?x=y&Callback=f'),
    'JSONP with a callback that is code': get('/jsonp/links/?callback=a(1)'),
    'JSONP with an escaped callback': get('/jsonp/links/?callback=%61'),
    'XML: names': get('/xml/names/'),
    'XML: sizes': get('/xml/sizes/'),
    'XML: links': get('/xml/links/'),
    'XML: empty': get('/xml/empty/'),
    'HTML again further in': get('/xml/html/'),
    'HTTP/1.0': get('/empty/', { version: '1.0' }),
    HEAD: get('/names/', { method: 'HEAD' }),
    'HEAD of a locked folder': get('/locked/', { method: 'HEAD' }),
    POST: post('/empty/', 'body'),
    PUT: get('/empty/', { method: 'PUT' }),
    'a body that nobody wants': get('/empty/', { headers: ['Content-Length: 3'], body: 'abc' }),
    'ranges and conditions count for nothing': get('/empty/', {
      headers: ['Range: bytes=0-1', 'If-Modified-Since: Tue, 05 Mar 2024 10:20:30 GMT', 'If-None-Match: *'],
    }),
    'a folder that is not there': get('/none/'),
    'below a file': get('/names/a.txt/'),
    'a folder that may not be entered': get('/locked/'),
    'its error page': get('/error/half/'),
    'a folder that may be entered and not read': get('/half/'),
    'a folder behind a link': get('/links/to-folder/'),
    'a folder behind a link that is not followed': get('/by-link/to-folder/'),
    'headers are added': get('/header/'),
    'at a limited rate': get('/limited/'),
    'up and down within the root': get('/empty/../names/../empty/'),
    'out of the root': get('/../../'),
    'out of the root, encoded': get('/%2e%2e/%2e%2e/'),
    'out of the root, slash encoded': get('/..%2f..%2f'),
    'a NUL': get('/empty%00/'),
    'several on one connection': inSuccession(
      request('/empty/', { keep: true }),
      request('/links/', { keep: true, method: 'HEAD' }),
      request('/none/', { keep: true }),
      request('/json/empty/'),
    ),
  },
});
