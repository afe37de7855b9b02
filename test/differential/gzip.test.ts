import { gzipSync } from 'node:zlib';
import { reply, replyAndClose } from '../support/scripted-backend.ts';
import { type Connection, get, inSuccession, request } from './client-script.ts';
import { type Case, compare } from './compare.ts';
import { FILE_TIME } from './normalize.ts';

const TEXT = 'The quick brown fox jumps over the lazy dog. '.repeat(40);
const takes = (value: string, ...more: string[]) => ({ headers: [`Accept-Encoding: ${value}`, ...more] });
const gzip = takes('gzip');
/** How well it packs is each zlib's own business. */
const packedWell = [{ from: /\[\d+\.\d\d\]/g, to: '[ratio]' }, FILE_TIME];
const packedText = gzipSync(TEXT).toString('latin1');

const FIELDS: Readonly<Record<string, Record<string, string>>> = {
  plain: {},
  expired: { Expires: 'Thu, 01 Jan 1970 00:00:01 GMT' },
  'expires-later': { Expires: 'Thu, 31 Dec 2037 23:55:55 GMT' },
  'expires-odd': { Expires: 'soon' },
  'no-cache': { 'Cache-Control': 'no-cache' },
  'no-store': { 'Cache-Control': 'max-age=1, no-store' },
  private: { 'Cache-Control': 'Private' },
  'private-set': { 'Cache-Control': 'private="x"' },
  public: { 'Cache-Control': 'public' },
  lm: { 'Last-Modified': 'Tue, 05 Mar 2024 10:20:30 GMT' },
  etag: { ETag: '"1"' },
};

/** A backend that answers each path with the fields of its name. */
const byName = (fields: Record<string, string>) =>
  replyAndClose(TEXT, '200 OK', { 'Content-Type': 'text/html', ...fields });

function anyRatio(cases: Readonly<Record<string, Connection>>): Record<string, Case> {
  return Object.fromEntries(Object.entries(cases).map(([name, act]) => [name, { act, normalize: packedWell }]));
}

compare('gzip: what is compressed', {
  backends: {
    HTML: replyAndClose(TEXT, '200 OK', {
      'Content-Type': 'text/html; charset=utf-8',
      ETag: '"1"',
      'Last-Modified': 'Tue, 05 Mar 2024 10:20:30 GMT',
      'Accept-Ranges': 'bytes',
    }),
    WEAK: replyAndClose(TEXT, '200 OK', { 'Content-Type': 'text/html', ETag: 'W/"1"' }),
    ODD: replyAndClose(TEXT, '200 OK', { 'Content-Type': 'text/html', ETag: '1' }),
    OTHER: replyAndClose(TEXT, '200 OK', { 'Content-Type': 'text/html; version=1' }),
    PACKED: replyAndClose(packedText, '200 OK', { 'Content-Type': 'text/html', 'Content-Encoding': 'gzip' }),
    VARY: replyAndClose(TEXT, '200 OK', { 'Content-Type': 'text/html', Vary: 'Cookie' }),
    NONE: replyAndClose(TEXT, '200 OK', {}),
    CREATED: replyAndClose(TEXT, '201 Created', { 'Content-Type': 'text/html' }),
    PART: replyAndClose(TEXT, '206 Partial Content', { 'Content-Type': 'text/html', 'Content-Range': `bytes 0-1/9` }),
    CHUNKED: reply(
      `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n` +
        `${TEXT.length.toString(16)}\r\n${TEXT}\r\n0\r\n\r\n`,
    ),
    SHORT: replyAndClose('x'.repeat(19), '200 OK', { 'Content-Type': 'text/html' }),
    NOT_SHORT: replyAndClose('x'.repeat(20), '200 OK', { 'Content-Type': 'text/html' }),
  },
  files: { 'www/page.html': TEXT, 'www/small.html': 'small', 'www/page.txt': TEXT, 'www/page.css': TEXT },
  http: `
    types { text/html html; text/plain txt; text/css css; }
    default_type text/html;
    log_format ratio '$uri $status [$gzip_ratio] $sent_http_content_encoding|$sent_http_vary';
    access_log access.log ratio;
    gzip on;
    server {
      listen 127.0.0.1:%%PORT%%;
      root %%DIR%%/www;
      location /off/ { gzip off; alias %%DIR%%/www/; }
      location /vary/ { gzip_vary on; alias %%DIR%%/www/; location /vary/proxied { proxy_pass http://%%VARY%%; } }
      location /vary/short { gzip_vary on; proxy_pass http://%%SHORT%%; }
      location /types/ { gzip_types text/css TEXT/Plain; alias %%DIR%%/www/; }
      location /any/ { gzip_types *; alias %%DIR%%/www/; }
      location /any/none { gzip_types *; proxy_pass http://%%NONE%%; }
      location /length/ { gzip_min_length 2k; alias %%DIR%%/www/; }
      location /length-0/ { gzip_min_length 0; alias %%DIR%%/www/; }
      location /level/ { gzip_comp_level 9; alias %%DIR%%/www/; }
      location /small-window/ { gzip_window 512; gzip_hash 512; alias %%DIR%%/www/; }
      location /text { return 200 "${TEXT}"; }
      location /created { return 201 "${TEXT}"; }
      location /forbidden { deny all; }
      location /in-if { gzip off; if ($arg_on) { gzip on; } return 200 "${TEXT}"; }
      location /if-content { gzip off; if ($arg_on) { gzip on; return 200 "${TEXT}"; } return 200 "${TEXT}"; }
      location /expires { expires 1h; add_header X-A 1; alias %%DIR%%/www/page.html; }
      location /html { proxy_pass http://%%HTML%%; }
      location /ranges { proxy_force_ranges on; proxy_pass http://%%HTML%%; }
      location /weak { proxy_pass http://%%WEAK%%; }
      location /odd-tag { proxy_pass http://%%ODD%%; }
      location /other { proxy_pass http://%%OTHER%%; }
      location /packed { proxy_pass http://%%PACKED%%; }
      location /no-type { proxy_pass http://%%NONE%%; }
      location /201 { proxy_pass http://%%CREATED%%; }
      location /206 { proxy_pass http://%%PART%%; }
      location /chunked { proxy_pass http://%%CHUNKED%%; }
      location /short { proxy_pass http://%%SHORT%%; }
      location /not-short { proxy_pass http://%%NOT_SHORT%%; }
      location /unbuffered { proxy_buffering off; proxy_pass http://%%CHUNKED%%; }
      location /limited { limit_rate 100k; alias %%DIR%%/www/page.html; }
    }`,
  cases: anyRatio({
    'a file': get('/page.html', gzip),
    'a file, not asked for': get('/page.html'),
    HEAD: get('/page.html', { ...gzip, method: 'HEAD' }),
    'HEAD, proxied': get('/html', { ...gzip, method: 'HEAD' }),
    'a small file': get('/small.html', gzip),
    'a type that is not among them': get('/page.txt', gzip),
    off: get('/off/page.html', gzip),
    'Vary: compressed': get('/vary/page.html', gzip),
    'Vary: not asked for': get('/vary/page.html'),
    'Vary: not compressible': get('/vary/page.txt', gzip),
    'Vary: beside the peer’s': get('/vary/proxied', gzip),
    'Vary: too short': get('/vary/short', gzip),
    'types: one more': get('/types/page.css', gzip),
    'types: without regard to case': get('/types/page.txt', gzip),
    'types: text/html always': get('/types/page.html', gzip),
    'types: any': get('/any/page.css', gzip),
    'types: any, of no type': get('/any/none', gzip),
    'min length': get('/length/page.html', gzip),
    'min length 0': get('/length-0/small.html', gzip),
    level: get('/level/page.html', gzip),
    'a small window': get('/small-window/page.html', gzip),
    return: get('/text', gzip),
    'status 201': get('/created', gzip),
    'status 403': get('/forbidden', gzip),
    'status 404': get('/none', gzip),
    if: get('/in-if?on=1', gzip),
    'if, not': get('/in-if', gzip),
    'if, with content': get('/if-content?on=1', gzip),
    'not modified': get('/page.html', takes('gzip', 'If-Modified-Since: Tue, 05 Mar 2047 10:20:30 GMT')),
    'a range of a file': get('/page.html', takes('gzip', 'Range: bytes=0-9')),
    'ranges of a file': get('/page.html', takes('gzip', 'Range: bytes=0-9,20-29')),
    'a range, not asked for gzip': get('/page.html', { headers: ['Range: bytes=0-9'] }),
    'an impossible range': get('/page.html', takes('gzip', 'Range: bytes=99999-')),
    'a forced range': get('/ranges', takes('gzip', 'Range: bytes=0-9')),
    'a forced range, not asked for gzip': get('/ranges', { headers: ['Range: bytes=0-9'] }),
    'forced ranges: all': get('/ranges', gzip),
    expires: get('/expires', gzip),
    proxied: get('/html', gzip),
    'proxied, not asked for': get('/html'),
    'a weak tag': get('/weak', gzip),
    'an odd tag': get('/odd-tag', gzip),
    'a parameter that is no charset': get('/other', gzip),
    'compressed already': get('/packed', gzip),
    'no type': get('/no-type', gzip),
    'proxied 201': get('/201', gzip),
    'proxied 206': get('/206', gzip),
    chunked: get('/chunked', gzip),
    'unknown length to HTTP/1.0': get('/chunked', { ...gzip, version: '1.0' }),
    'below the default length': get('/short', gzip),
    'of the default length': get('/not-short', gzip),
    'without buffering': get('/unbuffered', gzip),
    limit_rate: get('/limited', gzip),
    'one after the other': inSuccession(
      request('/page.html', { ...gzip, keep: true }),
      request('/html', { ...gzip, keep: true }),
      request('/page.html', { keep: true }),
      request('/none', { ...gzip, keep: true }),
      request('/page.html', { ...gzip, keep: true, method: 'HEAD' }),
      request('/chunked', { ...gzip, keep: true }),
    ),
  }),
});

const joined = { 'access log': 'newer nginx joins fields of one name' };

compare('gzip: other codings', {
  backends: { EMPTY: replyAndClose(TEXT, '200 OK', { 'Content-Type': 'text/html', 'Content-Encoding': '' }) },
  files: { 'www/page.html': TEXT },
  http: `
    gzip on;
    server {
      listen 127.0.0.1:%%PORT%%;
      root %%DIR%%/www;
      default_type text/html;
      location / { add_header Content-Encoding x; }
      location /empty { proxy_pass http://%%EMPTY%%; }
    }`,
  cases: {
    'by add_header': { act: get('/page.html', gzip), without: joined, normalize: [FILE_TIME] },
    'an empty one': { act: get('/empty', gzip), without: joined },
  },
});

compare('gzip: who takes it', {
  http: `
    gzip on;
    gzip_min_length 1;
    server {
      listen 127.0.0.1:%%PORT%%;
      default_type text/html;
      location / { return 200 "the same text, the same text, the same text"; }
    }`,
  cases: Object.fromEntries(
    [
      'gzip',
      'GZIP',
      'gzip,deflate',
      'deflate, gzip',
      'deflate,gzip',
      'deflate;gzip',
      'x-gzip',
      'x-gzip, gzip',
      'x-gzipgzip',
      'gzipx',
      'gzip deflate',
      'gzip ,deflate',
      'gzip;q=1',
      'gzip;q=0',
      'gzip;q=0.0',
      'gzip;q=0.5',
      'gzip; q=0.001',
      'gzip;q=0.000',
      'gzip;q=0.0001',
      'gzip;q=1.000',
      'gzip;q=1.001',
      'gzip;q=2',
      'gzip;q=',
      'gzip;q',
      'gzip;',
      'gzip;q=0,gzip',
      'gzip;Q=1',
      'gzip;x=1',
      'gzip;q =1',
      'gzip;q=0.5x',
      'gzip;q=1x',
      'gzip;q=0.9, br',
      'gzip,;q=0',
      '*',
      '*;q=0, gzip',
      'identity',
      'gzi',
      '',
    ].map((value) => [`"${value}"`, get('/', takes(value))]),
  ),
});

compare('gzip: versions, agents and proxies', {
  backends: Object.fromEntries(
    Object.entries(FIELDS).map(([name, fields]) => [name.toUpperCase().replaceAll('-', '_'), byName(fields)]),
  ),
  http: `
    gzip on;
    server {
      listen 127.0.0.1:%%PORT%%;
      default_type text/html;
      location / { return 200 "${TEXT}"; }
      location /1.0 { gzip_http_version 1.0; return 200 "${TEXT}"; }
      location /msie6 { gzip_disable msie6; return 200 "${TEXT}"; }
      location /agents { gzip_disable "Old.*x" bot; gzip_disable msie6; return 200 "${TEXT}"; }
      ${[
        'off',
        'expired',
        'no-cache',
        'no-store',
        'private',
        'no_last_modified',
        'no_etag',
        'auth',
        'any',
        'expired no-cache no-store private auth',
      ]
        .map(
          (rule) => `location /${rule.replaceAll(' ', '+')}/ {
            gzip_proxied ${rule};
            ${Object.keys(FIELDS)
              .map(
                (name) =>
                  `location /${rule.replaceAll(' ', '+')}/${name}/ { proxy_pass http://%%${name.toUpperCase().replaceAll('-', '_')}%%; }`,
              )
              .join('\n')}
          }`,
        )
        .join('\n')}
    }`,
  cases: {
    '1.0': get('/', { ...gzip, version: '1.0' }),
    '1.0, allowed': get('/1.0', { ...gzip, version: '1.0' }),
    ...Object.fromEntries(
      [
        'Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)',
        'Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1)',
        'Mozilla/4.0 (compatible; MSIE 5.5; Windows 98)',
        'Mozilla/4.0 (compatible; MSIE 7.0)',
        'Opera MSIE 6.0; x',
        'Very OLD AND x',
        'a Bot',
        'another',
      ].flatMap((agent) =>
        ['/msie6', '/agents'].map((path) => [`${path} ${agent}`, get(path, takes('gzip', `User-Agent: ${agent}`))]),
      ),
    ),
    'no agent at all': get('/agents', gzip),
    'through a proxy': get('/', takes('gzip', 'Via: 1.1 x')),
    'through a proxy: an empty Via': get('/', takes('gzip', 'Via:')),
    ...Object.fromEntries(
      [
        'off',
        'expired',
        'no-cache',
        'no-store',
        'private',
        'no_last_modified',
        'no_etag',
        'auth',
        'any',
        'expired no-cache no-store private auth',
      ].flatMap((rule) =>
        Object.keys(FIELDS).map((name) => [
          `gzip_proxied ${rule}: ${name}`,
          get(`/${rule.replaceAll(' ', '+')}/${name}/`, takes('gzip', 'Via: 1.1 x')),
        ]),
      ),
    ),
    'with authorization': get('/auth/public/', takes('gzip', 'Via: 1.1 x', 'Authorization: Basic eDp5')),
  },
});
