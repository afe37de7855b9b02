import { chmodSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { get, inSuccession, post, raw, request } from './client-script.ts';
import { compare } from './compare.ts';

/** One site for both programs, so that times and ETags are the same. */
const SITE = tempFolder('site');
afterAll(() => rmSync(SITE, { recursive: true, force: true }));
chmodSync(SITE, 0o755);

const MODIFIED = 'Tue, 05 Mar 2024 10:20:30 GMT';
const TIME = Date.parse(MODIFIED) / 1000;

function file(path: string, content: string): void {
  const whole = join(SITE, path);
  mkdirSync(join(whole, '..'), { recursive: true });
  writeFileSync(whole, content, 'latin1');
  utimesSync(whole, TIME, TIME);
}

file('www/index.html', '<p>index</p>');
file('www/a.txt', '0123456789');
file('www/empty.txt', '');
file('www/page.html', '<p>page</p>');
file('www/noext', 'no extension');
file('www/.hidden', 'hidden');
file('www/a b.txt', 'space');
file('www/caf\u00e9.txt', 'umlaut');
file('www/picture.GIF', 'GIF89a');
file('www/sub/index.html', 'sub index');
file('www/sub/other.html', 'other');
file('www/no-index/x.txt', 'x');
file('www/second/two.html', 'two');
file('www/deep/index.html/inner.txt', 'a directory that is named like an index');
file('www/big.bin', 'abcdefghij'.repeat(100_000));
file('www/404.html', 'nothing here');
file('secret.txt', 'secret');
file('images/one.gif', 'one');
file('other/index.html', 'other root');
file('other/x.txt', 'other x');
symlinkSync(join(SITE, 'secret.txt'), join(SITE, 'www/link.txt'));
symlinkSync('a.txt', join(SITE, 'www/near.txt'));
symlinkSync(join(SITE, 'images'), join(SITE, 'www/linked'));
symlinkSync('nowhere', join(SITE, 'www/broken.txt'));
symlinkSync('loop.txt', join(SITE, 'www/loop.txt'));

const ETAG = `"${TIME.toString(16)}-a"`;
const with_ = (...headers: string[]) => get('/a.txt', { headers });
/** nginx numbers the boundaries of multipart answers. */
const boundary = [{ from: /\b\d{20}\b/g, to: '<boundary>' }];
const site = { addresses: () => ({ SITE }) };

compare('static files', {
  ...site,
  http: `
    types { text/html html; text/plain txt; image/gif gif; }
    default_type application/octet-stream;
    server {
      listen 127.0.0.1:%%PORT%%;
      root %%SITE%%/www;
      error_page 405 =200 /page.html;
      location / { }
      location /quiet/ { log_not_found off; }
      location /by-alias/ { alias %%SITE%%/images/; }
      location /no-slash { alias %%SITE%%/images; }
      location = /one-file { alias %%SITE%%/images/one.gif; }
      location ~ ^/regex/(.+)$ { alias %%SITE%%/images/$1; }
      location /outer/ { alias %%SITE%%/images/; location /outer/one { add_header X-Inner 1; } }
      location /rewritten/ { rewrite ^ /rewritten/x break; alias %%SITE%%/images/; }
      location /with-root/ { root %%SITE%%/; }
      location /x.txt { root %%SITE%%/$arg_root; }
      location /second/ { index one.html two.html; }
      location /absolute/ { index none.html /page.html; }
      location /variable/ { index $arg_index; }
      location /no-index/ { index none.html; }
      location /plain { error_page 404 /404.html; error_page 405 /page.html; }
      location /no-404 { error_page 404 /never-there.html; }
      location /relative/ { absolute_redirect off; root %%SITE%%; }
      location /no-etag { etag off; alias %%SITE%%/www/a.txt; }
      location /ims-off { if_modified_since off; alias %%SITE%%/www/a.txt; }
      location /ims-before { if_modified_since before; alias %%SITE%%/www/a.txt; }
      location /max-ranges-0 { max_ranges 0; alias %%SITE%%/www/a.txt; }
      location /max-ranges-1 { max_ranges 1; alias %%SITE%%/www/a.txt; }
      location /headers { add_header X-A 1; add_header X-B 2 always; alias %%SITE%%/www/a.txt; }
      location /own-etag { add_header ETag '"own"'; alias %%SITE%%/www/a.txt; }
      location /own-time { add_header Last-Modified ""; alias %%SITE%%/www/a.txt; }
      location /limited { limit_rate 10m; alias %%SITE%%/www/big.bin; }
      location /text { return 200 text; }
      location /variables { return 200 "$document_root $request_filename $realpath_root"; }
      location /unclosed { alias %%SITE%%/images/; }
      location /links-off/ { alias %%SITE%%/www/; }
      location /links-on/ { disable_symlinks on; alias %%SITE%%/www/; }
      location /links-owner/ { disable_symlinks if_not_owner; alias %%SITE%%/www/; }
      location /links-from/ { disable_symlinks on from=%%SITE%%/www; alias %%SITE%%/www/; }
      location /links-from-all/ { disable_symlinks on from=%%SITE%%/www/linked; alias %%SITE%%/www/; }
    }`,
  cases: {
    'a file': get('/a.txt'),
    'HEAD of a file': get('/a.txt', { method: 'HEAD' }),
    'an empty file': get('/empty.txt'),
    'types by extension': get('/page.html'),
    default_type: get('/noext'),
    'a hidden file': get('/.hidden'),
    'upper-case extension': get('/picture.GIF'),
    'escaped space': get('/a%20b.txt'),
    'UTF-8 name': get('/caf%E9.txt'),
    'a large file': get('/big.bin'),
    'HTTP/1.0': get('/a.txt', { version: '1.0' }),
    'HTTP/1.0 with a range': get('/a.txt', { version: '1.0', headers: ['Range: bytes=1-2'] }),
    'several on one connection': inSuccession(
      request('/a.txt', { keep: true }),
      request('/empty.txt', { keep: true }),
      request('/big.bin', { keep: true }),
      request('/none', { keep: true }),
      request('/a.txt', { keep: true, method: 'HEAD' }),
    ),
    'a file that is not there': get('/none.txt'),
    'below a file': get('/a.txt/x'),
    'below a file, with a slash': get('/a.txt/'),
    'a name that is too long': get(`/${'x'.repeat(300)}`),
    'log_not_found off': get('/quiet/none'),
    index: get('/'),
    'index of a directory': get('/sub/'),
    'index with arguments': get('/sub/?a=b'),
    'a directory without its slash': get('/sub'),
    'with arguments': get('/sub?a=b'),
    'through another root': get('/relative/'),
    'directory without an index': get('/no-index/'),
    'a directory that is not there': get('/missing/'),
    'a directory named index.html': get('/deep/'),
    'second index': get('/second/'),
    'absolute index': get('/absolute/'),
    'index by a variable': get('/variable/?index=/a.txt'),
    'POST to a file': post('/a.txt', 'x=1'),
    'POST to a directory': post('/sub/', 'x=1'),
    'PUT to a file': post('/plain', 'x', { method: 'PUT' }),
    'DELETE of a directory': get('/sub/', { method: 'DELETE' }),
    'error page from a file': get('/plain-none'),
    'conditions do not count for error pages': get('/plain-none', {
      headers: ['If-None-Match: *', 'Range: bytes=0-1'],
    }),
    'an error page that is not there': get('/no-404'),
    alias: get('/by-alias/one.gif'),
    'alias: the directory': get('/by-alias/'),
    'alias: without the slash': get('/by-alias'),
    'alias: no slash at the end': get('/no-slash/one.gif'),
    'alias: directory redirect': get('/no-slash'),
    'alias: one file': get('/one-file'),
    'alias: regex': get('/regex/one.gif'),
    'alias: regex, not there': get('/regex/two.gif'),
    'alias: nested location': get('/outer/one.gif'),
    'alias: after a rewrite': get('/rewritten/one.gif'),
    'root with a slash at the end': get('/with-root/none'),
    'root with a variable': get('/x.txt?root=other'),
    variables: get('/variables'),
    'encoded dots': get('/%2e%2e/secret.txt'),
    'encoded dots within': get('/sub/%2e%2e/a.txt'),
    'encoded slash and dots': get('/sub%2f..%2f..%2fsecret.txt'),
    'dots above the root': raw('GET /../secret.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'),
    'NUL in the path': get('/a.txt%00.html'),
    'an alias without a slash at the end of the location': {
      act: get('/unclosed../secret.txt'),
      differs: {
        because: 'paths that lead up',
        evenkeel: { client: /^HTTP\/1.1 500 /m, 'access log': / 500 /, 'error log': /leads out of its root/ },
      },
    },
    'backslashes are no slashes': get('/..\\secret.txt'),

    'If-Modified-Since the same': with_(`If-Modified-Since: ${MODIFIED}`),
    'If-Modified-Since later': with_('If-Modified-Since: Wed, 06 Mar 2024 10:20:30 GMT'),
    'If-Modified-Since earlier': with_('If-Modified-Since: Mon, 04 Mar 2024 10:20:30 GMT'),
    'If-Modified-Since of no time': with_('If-Modified-Since: yesterday'),
    'If-Modified-Since in RFC 850': with_('If-Modified-Since: Tuesday, 05-Mar-24 10:20:30 GMT'),
    'If-Modified-Since of asctime': with_('If-Modified-Since: Tue Mar  5 10:20:30 2024'),
    'if_modified_since off': get('/ims-off', { headers: [`If-Modified-Since: ${MODIFIED}`] }),
    'if_modified_since before': get('/ims-before', { headers: ['If-Modified-Since: Wed, 06 Mar 2024 10:20:30 GMT'] }),
    'If-None-Match': with_(`If-None-Match: ${ETAG}`),
    'If-None-Match weak': with_(`If-None-Match: W/${ETAG}`),
    'If-None-Match list': with_(`If-None-Match: "x", ${ETAG} , "y"`),
    'If-None-Match *': with_('If-None-Match: *'),
    'If-None-Match other': with_('If-None-Match: "other"'),
    'If-None-Match and a time that is later': with_(
      `If-None-Match: ${ETAG}`,
      'If-Modified-Since: Mon, 04 Mar 2024 10:20:30 GMT',
    ),
    'If-None-Match of HEAD': get('/a.txt', { method: 'HEAD', headers: [`If-None-Match: ${ETAG}`] }),
    'If-Match': with_(`If-Match: ${ETAG}`),
    'If-Match weak': with_(`If-Match: W/${ETAG}`),
    'If-Match other': with_('If-Match: "other"'),
    'If-Match *': with_('If-Match: *'),
    'If-Unmodified-Since the same': with_(`If-Unmodified-Since: ${MODIFIED}`),
    'If-Unmodified-Since earlier': with_('If-Unmodified-Since: Mon, 04 Mar 2024 10:20:30 GMT'),
    'etag off': get('/no-etag', { headers: [`If-None-Match: ${ETAG}`] }),
    'conditions of a text': get('/text', { headers: ['If-None-Match: *'] }),
    'a text has no time': get('/text', { headers: [`If-Unmodified-Since: ${MODIFIED}`] }),
    'a text has no tag': get('/text', { headers: ['If-Match: "x"'] }),

    'a range': with_('Range: bytes=2-4'),
    'a range to the end': with_('Range: bytes=7-'),
    'a range beyond the end': with_('Range: bytes=7-100'),
    'the last bytes': with_('Range: bytes=-3'),
    'more last bytes than there are': with_('Range: bytes=-30'),
    'no last bytes': with_('Range: bytes=-0'),
    'the whole as a range': with_('Range: bytes=0-'),
    'a range that starts beyond the end': with_('Range: bytes=10-'),
    'a range that ends before it starts': with_('Range: bytes=5-4'),
    'a range of no number': with_('Range: bytes=a-b'),
    'a range with spaces': with_('Range: bytes= 1 - 2 '),
    'another unit': with_('Range: lines=1-2'),
    'a range of an empty file': get('/empty.txt', { headers: ['Range: bytes=0-0'] }),
    'HEAD with a range': get('/a.txt', { method: 'HEAD', headers: ['Range: bytes=1-2'] }),
    'two ranges': { act: with_('Range: bytes=0-1,4-5'), normalize: boundary },
    'three, one beyond': { act: with_('Range: bytes=0-1,100-,-2'), normalize: boundary },
    'more bytes than there are': { act: with_('Range: bytes=0-8,1-9'), normalize: boundary },
    'two, one is wrong': with_('Range: bytes=0-1,x'),
    'If-Range of the tag': with_('Range: bytes=1-2', `If-Range: ${ETAG}`),
    'If-Range of another tag': with_('Range: bytes=1-2', 'If-Range: "x"'),
    'If-Range of the time': with_('Range: bytes=1-2', `If-Range: ${MODIFIED}`),
    'If-Range of another time': with_('Range: bytes=1-2', 'If-Range: Wed, 06 Mar 2024 10:20:30 GMT'),
    'max_ranges 0': get('/max-ranges-0', { headers: ['Range: bytes=1-2'] }),
    'max_ranges 1': get('/max-ranges-1', { headers: ['Range: bytes=1-2,4-5'] }),
    'a range of a large file': get('/big.bin', { headers: ['Range: bytes=500000-500009'] }),
    'add_header with a range': get('/headers', { headers: ['Range: bytes=1-2'] }),
    'add_header with a range that is none': get('/headers', { headers: ['Range: bytes=99-'] }),
    'add_header with 304': get('/headers', { headers: [`If-None-Match: ${ETAG}`] }),
    'add_header ETag': get('/own-etag'),
    'add_header Last-Modified of nothing': get('/own-time'),
    limit_rate: get('/limited'),

    'a link': get('/links-off/link.txt'),
    'a link to nothing': get('/broken.txt'),
    'a link to itself': get('/loop.txt'),
    'links on: a file': get('/links-on/a.txt'),
    'links on: a link': get('/links-on/near.txt'),
    'links on: through a linked directory': get('/links-on/linked/one.gif'),
    'links on: an index': get('/links-on/sub/'),
    'links on: a directory': get('/links-on/sub'),
    'links on: not there': get('/links-on/none'),
    'if_not_owner: an own link': get('/links-owner/near.txt'),
    'if_not_owner: an own directory': get('/links-owner/linked/one.gif'),
    'from=: a file': get('/links-from/a.txt'),
    'from=: a link': get('/links-from/near.txt'),
    'from= covers the linked directory': get('/links-from-all/linked/one.gif'),
  },
});

const moving = [
  { from: /(?<=max-age=)\d+/g, to: 'N' },
  { from: /(?<=Expires: )(?!Thu, (?:01 Jan 1970|31 Dec 2037))\w.*/g, to: '<time>' },
];

compare('expires', {
  ...site,
  backends: { A: 'HTTP/1.1 200 OK\r\nCache-Control: private\r\nExpires: never\r\nContent-Length: 1\r\n\r\na' },
  http: `
    server {
      listen 127.0.0.1:%%PORT%%;
      root %%SITE%%/www;
      expires 1h;
      location / { }
      location /off { expires off; return 200 x; }
      location /epoch { expires epoch; return 200 x; }
      location /max { expires max; return 200 x; }
      location /zero { expires 0; return 200 x; }
      location /minus { expires -1; return 200 x; }
      location /plus { expires +10m; return 200 x; }
      location /daily { expires @15h30m; return 200 x; }
      location /modified { expires modified 10d; alias %%SITE%%/www/a.txt; }
      location /modified-text { expires modified 10d; return 200 x; }
      location /variable { expires $arg_e; return 200 x; }
      location /404 { return 404; }
      location /302 { return 302 /x; }
      location /both { expires 1d; add_header Cache-Control public; return 200 x; }
      location /proxied { proxy_pass http://%%A%%; }
      location /if { if ($arg_e) { expires max; } return 200 x; }
    }`,
  cases: {
    inherited: { act: get('/a.txt'), normalize: moving },
    off: get('/off'),
    epoch: get('/epoch'),
    max: get('/max'),
    '0': { act: get('/zero'), normalize: moving },
    'in the past': { act: get('/minus'), normalize: moving },
    'in the future': { act: get('/plus'), normalize: moving },
    daily: { act: get('/daily'), normalize: moving },
    'since the last change': { act: get('/modified'), normalize: moving },
    'without a last change': { act: get('/modified-text'), normalize: moving },
    'a variable': get('/variable?e=max'),
    'a variable that says a time': { act: get('/variable?e=10'), normalize: moving },
    'a variable that says nothing': get('/variable'),
    'a variable that says off': get('/variable?e=off'),
    'not for errors': get('/404'),
    'for redirects': { act: get('/302'), normalize: moving },
    'with add_header': { act: get('/both'), normalize: moving },
    'in place of what a peer says': { act: get('/proxied'), normalize: moving },
    'in an if': get('/if?e=1'),
    'of a range': { act: get('/a.txt', { headers: ['Range: bytes=0-1'] }), normalize: moving },
    'of 304': { act: get('/a.txt', { headers: ['If-None-Match: *'] }), normalize: moving },
  },
});
