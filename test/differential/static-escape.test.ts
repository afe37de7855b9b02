import { chmodSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempFolder } from '../support/temp-folder.ts';
import { get, raw } from './client-script.ts';
import { compare } from './compare.ts';

/** One site for both programs; `secret.txt` lies beside what is served. */
const SITE = tempFolder('escape');
chmodSync(SITE, 0o755);
const TIME = Date.parse('Tue, 05 Mar 2024 10:20:30 GMT') / 1000;

function file(path: string, content: string): void {
  const whole = join(SITE, path);
  mkdirSync(join(whole, '..'), { recursive: true });
  writeFileSync(whole, content);
  utimesSync(whole, TIME, TIME);
}

file('secret.txt', 'secret');
file('outside/secret.txt', 'secret');
file('www/a.txt', '0123456789');
file('www/sub/b.txt', 'b');
file('www/..hidden/c.txt', 'c');
file('www/%2e%2e/d.txt', 'd');
file('www/back\\slash.txt', 'e');
symlinkSync('../outside', join(SITE, 'www/out'));
symlinkSync('../secret.txt', join(SITE, 'www/secret-link'));
symlinkSync('sub', join(SITE, 'www/in'));

const target = (path: string) => raw(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
const ranged = (...headers: string[]) => get('/a.txt', { headers });
const boundary = [{ from: /\b\d{20}\b/g, to: '<boundary>' }];

compare('out of the root', {
  addresses: () => ({ SITE }),
  http: `
    default_type text/plain;
    server {
      listen 127.0.0.1:%%PORT%%;
      root %%SITE%%/www;
      location / { }
      location /links/ { disable_symlinks on; alias %%SITE%%/www/; }
      location /links-from/ { disable_symlinks on from=%%SITE%%/www; alias %%SITE%%/www/; }
      location /links-try/ { disable_symlinks on from=%%SITE%%/www; root %%SITE%%/www; try_files /secret-link /a.txt =404; }
      location /listed/ { autoindex on; disable_symlinks on from=%%SITE%%/www; alias %%SITE%%/www/; }
    }`,
  cases: {
    'dots and slash encoded': target('/%2e%2e%2fsecret.txt'),
    'a dot encoded': target('/.%2e/secret.txt'),
    'the other dot encoded': target('/%2e./secret.txt'),
    'dots in a folder, encoded': target('/sub/%2e%2e/%2e%2e/secret.txt'),
    'slashes encoded': target('/sub/..%2f..%2fsecret.txt'),
    'encoded twice': target('/%252e%252e/d.txt'),
    'encoded twice, slash too': target('/%252e%252e%252fsecret.txt'),
    'overlong UTF-8': target('/%c0%ae%c0%ae/secret.txt'),
    'dots in UTF-16': target('/%u002e%u002e/secret.txt'),
    'backslashes encoded': target('/..%5c..%5csecret.txt'),
    'a backslash in a name': target('/back%5cslash.txt'),
    semicolon: target('/sub;/../../secret.txt'),
    'many slashes': target('////secret.txt'),
    'many slashes and dots': target('//..//..//secret.txt'),
    'dots that are a name': target('/..hidden/c.txt'),
    'three dots': target('/.../secret.txt'),
    'dots at the end': target('/sub/..'),
    'dots at the end, above': target('/..'),
    'a dot at the end': target('/sub/.'),
    'dots behind a query': target('/a.txt?/../../secret.txt'),
    'dots behind a fragment': target('/a.txt#/../../secret.txt'),
    'an absolute URI': target('http://a/../secret.txt'),
    'a NUL in front': target('/%00secret.txt'),
    'a NUL at the end': target('/a.txt%00'),
    'a NUL within': target('/sub/%00/../../secret.txt'),
    'a line feed': { act: target('/a.txt%0a'), without: { 'error log': 'a line of ours stays one line' } },
    'a broken escape': target('/%2'),
    'a broken escape that is no number': target('/%zz'),
    'out by a link that is followed': target('/out/secret.txt'),
    'out by a link': target('/links/out/secret.txt'),
    'out by a link to the file': target('/links/secret-link'),
    'out by a link, from=': target('/links-from/out/secret.txt'),
    'out by a link to the file, from=': target('/links-from/secret-link'),
    'in by a link, from=': target('/links-from/in/b.txt'),
    'no link in the way, from=': target('/links-from/sub/b.txt'),
    'try_files and links': target('/links-try/'),
    'a listing of what lies outside': target('/listed/out/'),
  },
});

compare('ranges and conditions, odd', {
  addresses: () => ({ SITE }),
  http: `
    types { text/html html; }
    default_type text/plain;
    open_file_cache max=10 inactive=20s;
    open_file_cache_valid 5s;
    open_file_cache_min_uses 2;
    open_file_cache_errors on;
    server {
      listen 127.0.0.1:%%PORT%%;
      root %%SITE%%/www;
      location / { }
      location /plain { error_page 416 /none; alias %%SITE%%/www/a.txt; }
      location /charset { charset utf-8; alias %%SITE%%/www/a.txt; }
    }`,
  cases: {
    'no ranges': ranged('Range: bytes='),
    'the unit alone': ranged('Range: bytes'),
    'the unit in capitals': ranged('Range: BYTES=0-1'),
    'a comma alone': ranged('Range: bytes=,'),
    'a comma at the end': ranged('Range: bytes=0-1,'),
    'a comma in front': ranged('Range: bytes=,0-1'),
    'a number that is too large': ranged('Range: bytes=99999999999999999999-'),
    'an end that is too large': ranged('Range: bytes=0-99999999999999999999'),
    'a suffix that is too large': ranged('Range: bytes=-99999999999999999999'),
    'a sign': ranged('Range: bytes=+1-2'),
    'two minus signs': ranged('Range: bytes=--2'),
    tabs: ranged('Range: bytes=0-1,\t4-5'),
    'the same twice': { act: ranged('Range: bytes=0-1,0-1'), normalize: boundary },
    overlapping: { act: ranged('Range: bytes=0-4,2-6'), normalize: boundary },
    'in reverse': { act: ranged('Range: bytes=8-9,0-1'), normalize: boundary },
    'one of two beyond': ranged('Range: bytes=0-1,50-60'),
    'all beyond': ranged('Range: bytes=50-60,70-'),
    'two fields': { act: ranged('Range: bytes=0-1', 'Range: bytes=4-5'), normalize: boundary },
    many: { act: ranged(`Range: bytes=${Array(500).fill('0-0').join(',')}`), normalize: boundary },
    'two, HEAD': { act: get('/a.txt', { method: 'HEAD', headers: ['Range: bytes=0-1,4-5'] }), normalize: boundary },
    'two, HTTP/1.0': { act: get('/a.txt', { version: '1.0', headers: ['Range: bytes=0-1,4-5'] }), normalize: boundary },
    'two, with a charset': { act: get('/charset', { headers: ['Range: bytes=0-1,4-5'] }), normalize: boundary },
    'an error page for 416 that is not there': get('/plain', { headers: ['Range: bytes=50-'] }),
    'If-Range, weak': ranged('Range: bytes=0-1', 'If-Range: W/"65e6f1ee-a"'),
    'If-Range of nothing': ranged('Range: bytes=0-1', 'If-Range:'),
    'If-Range of no time': ranged('Range: bytes=0-1', 'If-Range: yesterday'),
    'If-Range without a range': ranged('If-Range: "x"'),
    'a range and a condition that fails': ranged('Range: bytes=0-1', 'If-Match: "x"'),
    'a range and a condition that says not modified': ranged('Range: bytes=0-1', 'If-None-Match: *'),
    'If-None-Match twice': ranged('If-None-Match: "x"', 'If-None-Match: *'),
    'If-Match of several': ranged('If-Match: "x", "65e6f1ee-a"'),
    'If-Match and If-None-Match': ranged('If-Match: *', 'If-None-Match: *'),
    'If-Match for what is not there': get('/none', { headers: ['If-Match: *'] }),
    'If-Unmodified-Since of no time': ranged('If-Unmodified-Since: yesterday'),
    'If-Unmodified-Since and If-Match': ranged('If-Unmodified-Since: Mon, 04 Mar 2024 10:20:30 GMT', 'If-Match: *'),
    'from the cache': [get('/a.txt'), get('/a.txt'), get('/none'), get('/none')],
  },
});
