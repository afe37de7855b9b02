import { replyAndClose } from '../support/scripted-backend.ts';
import { get, inSuccession, request } from './client-script.ts';
import { compare } from './compare.ts';

/** In KOI8-R: letters that the map knows, one that it doesn't, ASCII. */
const KOI = 'ab\xc1\x80\xc2yz';
const UTF = Buffer.from('abа─é\u{1f600}бyz').toString('latin1');
const typed = (type: string, body = KOI, more: Record<string, string> = {}) =>
  replyAndClose(body, '200 OK', { 'Content-Type': type, ...more });

compare('charset', {
  backends: {
    HTML: typed('text/html', KOI, { ETag: '"1"', 'Accept-Ranges': 'bytes' }),
    SAID: typed('text/html; charset=koi8-r'),
    QUOTED: typed('text/html; charset="koi8-r"'),
    MORE: typed('text/html; x=1; charset=koi8-r'),
    BEHIND: typed('text/html; charset=koi8-r; x=1'),
    IMAGE: typed('image/png; charset=koi8-r'),
    PNG: typed('image/png'),
    UTF: typed('text/html; charset=UTF-8', UTF),
    PLAIN_UTF: typed('text/plain', UTF),
    ACCEL: typed('text/html; charset=koi8-r', KOI, { 'X-Accel-Charset': 'utf-8' }),
    ACCEL_ODD: typed('text/html', KOI, { 'X-Accel-Charset': 'nosuch' }),
    PACKED: typed('text/html; charset=koi8-r', KOI, { 'Content-Encoding': 'gzip' }),
    NONE: replyAndClose(KOI, '200 OK', {}),
    ERROR: replyAndClose(KOI, '500 Internal Server Error', { 'Content-Type': 'text/html' }),
    MOVED: replyAndClose(KOI, '302 Found', { 'Content-Type': 'text/html', Location: '/x' }),
    EMPTY: typed('text/html', ''),
    ...Object.fromEntries([1, 2, 3].map((size) => [`PIECES${size}`, pieces(size)])),
  },
  files: { 'www/page.html': KOI, 'www/page.txt': KOI, 'www/page.css': KOI, 'www/page.js': KOI, 'www/page.xml': KOI },
  http: `
    types { text/html html; text/plain txt; text/css css; application/javascript js; text/xml xml; }
    charset_map koi8-r utf-8 { C1 D0B0; 80 E29480; }
    charset_map koi8-r windows-1251 { c1 E0; C2 e1; }
    server {
      listen 127.0.0.1:%%PORT%%;
      root %%DIR%%/www;
      charset utf-8;
      location / { }
      location /off/ { charset off; alias %%DIR%%/www/; }
      location /types/ { charset_types text/css; alias %%DIR%%/www/; }
      location /any { charset_types *; proxy_pass http://%%PNG%%; }
      location /html { proxy_pass http://%%HTML%%; }
      location /said { proxy_pass http://%%SAID%%; }
      location /none { proxy_pass http://%%NONE%%; }
      location /png { proxy_pass http://%%PNG%%; }
      location /error { proxy_pass http://%%ERROR%%; }
      location /moved { proxy_pass http://%%MOVED%%; }
      location /return { return 301 /x; }
      location /return-307 { return 307 /x; }
      location /404 { return 404; }
      location /text { default_type text/plain; return 200 text; }
      location /typed { default_type "text/html; charset=x"; override_charset on; return 200 text; }
      location /spelled { charset KOI8-R; default_type text/html; return 200 text; }
      location /variable { charset $arg_c; proxy_pass http://%%HTML%%; }
      location /variables { charset $arg_c; source_charset $arg_s; proxy_pass http://%%HTML%%; }
      location /if { if ($arg_c) { charset koi8-r; } default_type text/html; return 200 text; }

      location /override { override_charset on; proxy_pass http://%%SAID%%; }
      location /override-quoted { override_charset on; proxy_pass http://%%QUOTED%%; }
      location /override-more { override_charset on; proxy_pass http://%%MORE%%; }
      location /override-behind { override_charset on; proxy_pass http://%%BEHIND%%; }
      location /override-image { override_charset on; proxy_pass http://%%IMAGE%%; }
      location /override-same { override_charset on; proxy_pass http://%%UTF%%; }
      location /override-packed { override_charset on; proxy_pass http://%%PACKED%%; }
      location /override-off { charset off; override_charset on; proxy_pass http://%%SAID%%; }

      location /source { source_charset koi8-r; proxy_pass http://%%HTML%%; }
      location /source-said { source_charset windows-1251; charset koi8-r; proxy_pass http://%%SAID%%; }
      location /source-empty { source_charset koi8-r; proxy_pass http://%%EMPTY%%; }
      location /source-moved { source_charset koi8-r; proxy_pass http://%%MOVED%%; }
      location /source-file/ { source_charset koi8-r; alias %%DIR%%/www/; }
      location /bytes { charset windows-1251; source_charset koi8-r; proxy_pass http://%%HTML%%; }
      location /bytes-back { charset koi8-r; source_charset windows-1251; proxy_pass http://%%HTML%%; }
      location /bytes-file/ { charset windows-1251; source_charset koi8-r; alias %%DIR%%/www/; }
      location /from { charset koi8-r; override_charset on; proxy_pass http://%%UTF%%; }
      location /from-plain { charset koi8-r; source_charset utf-8; proxy_pass http://%%PLAIN_UTF%%; }
      location /pieces1 { charset koi8-r; source_charset utf-8; proxy_buffering off; proxy_pass http://%%PIECES1%%; }
      location /pieces2 { charset koi8-r; source_charset utf-8; proxy_buffering off; proxy_pass http://%%PIECES2%%; }
      location /pieces3 { charset koi8-r; source_charset utf-8; proxy_buffering off; proxy_pass http://%%PIECES3%%; }
      location /both { source_charset koi8-r; sub_filter ab '<!-- -->'; proxy_pass http://%%HTML%%; }

      location /accel { proxy_pass http://%%ACCEL%%; }
      location /accel-off { charset off; proxy_pass http://%%ACCEL%%; }
      location /accel-ignored { proxy_ignore_headers X-Accel-Charset; proxy_pass http://%%ACCEL%%; }
      location /accel-odd { proxy_pass http://%%ACCEL_ODD%%; }

      location /listed/ { autoindex on; alias %%DIR%%/www/; }
      location /listed-xml/ { autoindex on; autoindex_format xml; charset koi8-r; alias %%DIR%%/www/; }
      location /listed-json/ { autoindex on; autoindex_format json; alias %%DIR%%/www/; }
    }`,
  cases: {
    'a file': get('/page.html'),
    'a text file': get('/page.txt'),
    XML: get('/page.xml'),
    JavaScript: get('/page.js'),
    'a type that has none': get('/page.css'),
    off: get('/off/page.html'),
    'types that are named': get('/types/page.css'),
    'types that are named: no others': get('/types/page.txt'),
    'any type': get('/any'),
    HEAD: get('/page.html', { method: 'HEAD' }),
    'a range': get('/page.html', { headers: ['Range: bytes=1-2'] }),
    'not modified': get('/page.html', { headers: ['If-None-Match: *'] }),
    'a file that is not there': get('/none.html'),
    'a peer that says none': get('/html'),
    'a peer that says one': get('/said'),
    'a peer without a type': get('/none'),
    'a peer with another type': get('/png'),
    'an error of a peer': get('/error'),
    'a redirect of a peer': get('/moved'),
    'a redirect': get('/return'),
    'a redirect, 307': get('/return-307'),
    'an error page': get('/404'),
    'a text': get('/text'),
    'a type with a charset in it': get('/typed'),
    'the first spelling counts': get('/spelled'),
    'a variable': get('/variable?c=any-text'),
    'a variable that is empty': get('/variable?c='),
    'a variable without a value': {
      act: get('/variable'),
      differs: { because: 'charset variables', evenkeel: { client: /HTTP\/1\.1 200 OK\n/ } },
      without: { 'access log': 'nginx has no status to tell' },
    },
    'two variables': get('/variables?c=UTF-8&s=KOI8-R'),
    'two variables, the same': get('/variables?c=x&s=X'),
    'two variables, nothing between them': {
      act: get('/variables?c=x&s=koi8-r'),
      normalize: [{ from: / while reading response header from upstream|, upstream: "[^"]*"/g, to: '' }],
    },
    'in an if: yes': get('/if?c=1'),
    'in an if: no': get('/if'),
    override: get('/override'),
    'override in quotes': get('/override-quoted'),
    'override behind another parameter': get('/override-more'),
    'override before another parameter': {
      act: get('/override-behind'),
      normalize: [{ from: / while reading response header from upstream|, upstream: "[^"]*"/g, to: '' }],
    },
    'override of another type': get('/override-image'),
    'override by the same': get('/override-same'),
    'override of what is packed': get('/override-packed'),
    'override, off': get('/override-off'),
    'to UTF-8': get('/source'),
    'to UTF-8, HEAD': get('/source', { method: 'HEAD' }),
    'what a peer says comes before source_charset': get('/source-said'),
    'nothing, to UTF-8': get('/source-empty'),
    'a redirect, to UTF-8': get('/source-moved'),
    'a file, to UTF-8': get('/source-file/page.html'),
    'a range of a file, to UTF-8': get('/source-file/page.html', { headers: ['Range: bytes=1-2'] }),
    'byte by byte': get('/bytes'),
    'byte by byte, back': get('/bytes-back'),
    'byte by byte, a range': get('/bytes-file/page.html', { headers: ['Range: bytes=1-2'] }),
    'from UTF-8': get('/from'),
    'from UTF-8, said here': get('/from-plain'),
    'from UTF-8, a byte at a time': get('/pieces1'),
    'from UTF-8, two bytes at a time': get('/pieces2'),
    'from UTF-8, three bytes at a time': get('/pieces3'),
    'with sub_filter': get('/both'),
    'X-Accel-Charset': get('/accel'),
    'X-Accel-Charset where it is off': get('/accel-off'),
    'X-Accel-Charset that is ignored': get('/accel-ignored'),
    'X-Accel-Charset that is unknown': {
      act: get('/accel-odd'),
      normalize: [{ from: / while reading response header from upstream|, upstream: "[^"]*"/g, to: '' }],
    },
    'a listing': { act: get('/listed/'), normalize: [{ from: /\d\d-\w{3}-\d{4} \d\d:\d\d/g, to: '<time>' }] },
    'a listing in XML': { act: get('/listed-xml/'), normalize: [{ from: /mtime="[^"]*"/g, to: '<time>' }] },
    'a listing in JSON': { act: get('/listed-json/'), normalize: [{ from: /"mtime":"[^"]*"/g, to: '<time>' }] },
    'in succession': inSuccession(
      request('/source', { keep: true }),
      request('/html', { keep: true }),
      request('/from', { keep: true }),
      request('/png'),
    ),
  },
});

function pieces(size: number) {
  const parts = UTF.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
  return [
    'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n',
    ...parts.flatMap((part) => [`${part.length.toString(16)}\r\n${part}\r\n`, 5]),
    '0\r\n\r\n',
  ];
}
