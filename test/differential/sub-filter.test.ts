import { gzipSync } from 'node:zlib';
import { CLOSE, reply, replyAndClose, type ScriptStep } from '../support/scripted-backend.ts';
import { get, inSuccession, request } from './client-script.ts';
import { compare } from './compare.ts';

const TEXT = 'One fish, two FISH; red fish, blue Fish. <one></one>';
const HTML = { 'Content-Type': 'text/html' };
const DATED = { ...HTML, ETag: '"1"', 'Last-Modified': 'Tue, 05 Mar 2024 10:20:30 GMT', 'Accept-Ranges': 'bytes' };
/** A piece at a time, with time to go out in between. */
const inPieces = (pieces: readonly string[]): readonly ScriptStep[] => [
  'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n',
  ...pieces.flatMap((piece) => [`${piece.length.toString(16)}\r\n${piece}\r\n`, 15]),
  '0\r\n\r\n',
  CLOSE,
];

compare('sub_filter', {
  backends: {
    A: replyAndClose(TEXT, '200 OK', DATED),
    WEAK: replyAndClose(TEXT, '200 OK', { ...HTML, ETag: 'W/"1"' }),
    ODD: replyAndClose(TEXT, '200 OK', { ...HTML, ETag: 'odd' }),
    PLAIN: replyAndClose(TEXT, '200 OK', { 'Content-Type': 'text/plain' }),
    CHARSET: replyAndClose(TEXT, '200 OK', { 'Content-Type': 'text/html; charset=utf-8' }),
    UPPER: replyAndClose(TEXT, '200 OK', { 'Content-Type': 'TEXT/HTML' }),
    NONE: replyAndClose(TEXT, '200 OK', {}),
    EMPTY: replyAndClose('', '200 OK', HTML),
    PACKED: replyAndClose(gzipSync(TEXT).toString('latin1'), '200 OK', { ...HTML, 'Content-Encoding': 'gzip' }),
    CREATED: replyAndClose(TEXT, '201 Created', HTML),
    PART: replyAndClose(TEXT, '206 Partial Content', { ...HTML, 'Content-Range': `bytes 0-51/52` }),
    ERROR: replyAndClose(TEXT, '500 Internal Server Error', HTML),
    UNCHANGED: reply('', '304 Not Modified', { ETag: '"1"' }),
    GONE: replyAndClose('', '204 No Content', HTML),
    PIECES: inPieces([...'a fish, a fi', 'sh and a f', 'is', 'h; f', 'i']),
    CUT: ['HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100\r\n\r\na fish and a fi', CLOSE],
    BIG: replyAndClose('fish '.repeat(50_000), '200 OK', HTML),
  },
  files: { 'www/page.html': TEXT, 'www/page.txt': TEXT, 'www/empty.html': '' },
  http: `
    types { text/html html; text/plain txt; }
    server {
      listen 127.0.0.1:%%PORT%%;
      root %%DIR%%/www;
      sub_filter fish bird;
      location / { }
      location /a { proxy_pass http://%%A%%; }
      location /every { sub_filter_once off; proxy_pass http://%%A%%; }
      location /keeps { sub_filter_last_modified on; proxy_pass http://%%A%%; }
      location /keeps-weak { sub_filter_last_modified on; proxy_pass http://%%WEAK%%; }
      location /keeps-odd { sub_filter_last_modified on; proxy_pass http://%%ODD%%; }
      location /keeps-file { sub_filter_last_modified on; sub_filter_once off; alias %%DIR%%/www/page.html; }
      location /plain { proxy_pass http://%%PLAIN%%; }
      location /plain-too { sub_filter_types text/plain; proxy_pass http://%%PLAIN%%; }
      location /any { sub_filter_types *; proxy_pass http://%%NONE%%; }
      location /charset { proxy_pass http://%%CHARSET%%; }
      location /upper { proxy_pass http://%%UPPER%%; }
      location /none { proxy_pass http://%%NONE%%; }
      location /empty { proxy_pass http://%%EMPTY%%; }
      location /packed { proxy_pass http://%%PACKED%%; }
      location /created { proxy_pass http://%%CREATED%%; }
      location /part { proxy_pass http://%%PART%%; }
      location /error { proxy_pass http://%%ERROR%%; }
      location /intercepted { proxy_intercept_errors on; error_page 500 /page.html; proxy_pass http://%%ERROR%%; }
      location /unchanged { proxy_pass http://%%UNCHANGED%%; }
      location /gone { proxy_pass http://%%GONE%%; }
      location /pieces { sub_filter_once off; proxy_buffering off; proxy_pass http://%%PIECES%%; }
      location /cut { sub_filter_once off; proxy_pass http://%%CUT%%; }
      location /big { sub_filter_once off; proxy_pass http://%%BIG%%; }
      location /shrinks { sub_filter_once off; sub_filter 'fish ' ''; proxy_pass http://%%BIG%%; }
      location /several {
        sub_filter one 1; sub_filter two 2; sub_filter '<one></one>' '<!-- $uri $arg_x -->'; sub_filter_once off;
        proxy_pass http://%%A%%;
      }
      location /several-once { sub_filter one 1; sub_filter fish swan; proxy_pass http://%%A%%; }
      location /one-place { sub_filter_once off; sub_filter fi 1; sub_filter fish 2; proxy_pass http://%%A%%; }
      location /longer-first { sub_filter_once off; sub_filter fish 2; sub_filter fi 1; proxy_pass http://%%A%%; }
      location /at-the-end { sub_filter_once off; sub_filter '</one>x' 1; sub_filter '</one>' 2; proxy_pass http://%%A%%; }
      location /variable { sub_filter $arg_find $arg_put; sub_filter_once off; proxy_pass http://%%A%%; }
      location /same { sub_filter fish 1; sub_filter fish 2; proxy_pass http://%%A%%; }
      location /text { default_type text/html; return 200 "a fish $arg_x"; }
      location /redirect { sub_filter FOUND Moved; return 302 /x; }
      location /404 { sub_filter '404 Not Found' gone; return 404; }
      location /nested/ { location /nested/other { sub_filter one ONE; proxy_pass http://%%A%%; } proxy_pass http://%%A%%; }
      location /types/ { sub_filter_types text/plain; alias %%DIR%%/www/; location /types/more/ { sub_filter_types text/css; alias %%DIR%%/www/; } }
      location /listed/ { autoindex on; sub_filter Index Contents; sub_filter_once off; alias %%DIR%%/www/; }
      location /limited { limit_rate 100k; sub_filter_once off; alias %%DIR%%/www/page.html; }
      location /auth { auth_basic x; auth_basic_user_file none; sub_filter 401 4-0-1; }
    }`,
  cases: {
    once: get('/a'),
    everywhere: get('/every'),
    HEAD: get('/a', { method: 'HEAD' }),
    'HTTP/1.0': get('/a', { version: '1.0' }),
    'dates are kept': get('/keeps'),
    'a weak tag': get('/keeps-weak'),
    'a tag that is none': get('/keeps-odd'),
    'another type': get('/plain'),
    'another type that is named': get('/plain-too'),
    'any type': get('/any'),
    'a type with a charset': get('/charset'),
    'a type in capitals': get('/upper'),
    'no type': get('/none'),
    'an empty body': get('/empty'),
    'a body that is packed already': get('/packed'),
    '201': get('/created'),
    '206': get('/part'),
    '500': get('/error'),
    '500 that is intercepted': get('/intercepted'),
    '304': get('/unchanged'),
    '204': get('/gone'),
    'piece by piece': get('/pieces'),
    'cut off': get('/cut'),
    'a large body': get('/big'),
    'a large body that goes away': get('/shrinks'),
    'several, with variables': get('/several?x=1'),
    'several, once each': get('/several-once'),
    'two that begin at one place': get('/one-place'),
    'two that begin at one place, the longer first': get('/longer-first'),
    'two at the end': get('/at-the-end'),
    'a variable': get('/variable?find=FISH&put=$1'),
    'a variable that is empty': get('/variable'),
    'the same twice': get('/same'),
    'a file': get('/page.html'),
    'a file of another type': get('/page.txt'),
    'an empty file': get('/empty.html'),
    'a file, its dates kept': get('/keeps-file'),
    'a range of a file': get('/page.html', { headers: ['Range: bytes=0-3'] }),
    'a condition that holds': get('/page.html', { headers: ['If-None-Match: *'] }),
    'a text': get('/text?x=1'),
    'a redirect': get('/redirect'),
    'an error page': get('/404'),
    'nested: inherited': get('/nested/'),
    'nested: replaced': get('/nested/other'),
    'types: named': get('/types/page.txt'),
    'types: replaced': get('/types/more/page.txt'),
    'a listing': { act: get('/listed/'), normalize: [{ from: /\d\d-\w{3}-\d{4} \d\d:\d\d/g, to: '<time>' }] },
    'at a limited rate': get('/limited'),
    'in succession': inSuccession(
      request('/a', { keep: true }),
      request('/a', { keep: true, method: 'HEAD' }),
      request('/every', { keep: true }),
      request('/plain'),
    ),
  },
});
