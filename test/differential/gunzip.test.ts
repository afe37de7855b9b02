import { gzipSync } from 'node:zlib';
import { reply, replyAndClose } from '../support/scripted-backend.ts';
import { get, inSuccession, request } from './client-script.ts';
import { compare } from './compare.ts';

const TEXT = 'The quick brown fox jumps over the lazy dog. '.repeat(40);
const bytes = gzipSync(TEXT);
const packed = bytes.toString('latin1');
const HTML = { 'Content-Type': 'text/html' };
const GZIP = { ...HTML, 'Content-Encoding': 'gzip' };
const gzip = { headers: ['Accept-Encoding: gzip'] };

/** In pieces of so many bytes. */
function chunked(text: string, size: number): string {
  const pieces = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
  const body = pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('');
  return `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${body}0\r\n\r\n`;
}

compare('gunzip', {
  backends: {
    PACKED: replyAndClose(packed, '200 OK', { ...GZIP, ETag: '"1"', 'Accept-Ranges': 'bytes', 'Content-MD5': 'x' }),
    UPPER: replyAndClose(packed, '200 OK', { ...HTML, 'Content-Encoding': 'GZIP' }),
    OTHER: replyAndClose(packed, '200 OK', { ...HTML, 'Content-Encoding': 'deflate' }),
    TWO: replyAndClose(packed, '200 OK', { ...HTML, 'Content-Encoding': 'gzip, gzip' }),
    PLAIN: replyAndClose(TEXT, '200 OK', HTML),
    TWICE: replyAndClose(packed + packed, '200 OK', GZIP),
    ERROR: replyAndClose(packed, '500 Oops', GZIP),
    PIECES: reply(chunked(packed, 7)),
    NOT_MODIFIED: reply('HTTP/1.1 304 Not Modified\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n'),
    KEPT: `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nContent-Length: ${packed.length}\r\n\r\n${packed}`,
  },
  http: `
    gunzip on;
    server {
      listen 127.0.0.1:%%PORT%%;
      location / { proxy_pass http://%%PACKED%%; }
      location /off { gunzip off; proxy_pass http://%%PACKED%%; }
      location /upper { proxy_pass http://%%UPPER%%; }
      location /other { proxy_pass http://%%OTHER%%; }
      location /two { proxy_pass http://%%TWO%%; }
      location /plain { proxy_pass http://%%PLAIN%%; }
      location /twice { proxy_pass http://%%TWICE%%; }
      location /error { proxy_pass http://%%ERROR%%; }
      location /pieces { proxy_pass http://%%PIECES%%; }
      location /unbuffered { proxy_buffering off; proxy_pass http://%%PIECES%%; }
      location /vary { gzip_vary on; proxy_pass http://%%PACKED%%; }
      location /304 { proxy_pass http://%%NOT_MODIFIED%%; }
      location /both { gzip on; proxy_pass http://%%PACKED%%; }
      location /1.0 { gzip_http_version 1.0; proxy_pass http://%%PACKED%%; }
      location /kept { proxy_pass http://%%KEPT%%; }
    }`,
  cases: {
    'gzip taken': get('/', gzip),
    'gzip not taken': get('/'),
    'gzip refused': get('/', { headers: ['Accept-Encoding: gzip;q=0'] }),
    HEAD: get('/', { method: 'HEAD' }),
    off: get('/off'),
    'in capitals': get('/upper'),
    'another coding': get('/other'),
    'two codings': get('/two'),
    'not packed': get('/plain'),
    'two members': get('/twice'),
    'an error': get('/error'),
    'in small pieces': get('/pieces'),
    'without buffering': get('/unbuffered'),
    'HTTP/1.0': get('/', { ...gzip, version: '1.0' }),
    'HTTP/1.0 that may': get('/1.0', { ...gzip, version: '1.0' }),
    'vary: taken': get('/vary', gzip),
    'vary: not taken': get('/vary'),
    'not modified': get('/304'),
    'with gzip': get('/both', gzip),
    'with gzip, not taken': get('/both'),
    'one after the other': inSuccession(
      request('/kept', { keep: true }),
      request('/kept', { ...gzip, keep: true }),
      request('/kept', { keep: true, method: 'HEAD' }),
      request('/kept', { keep: true }),
    ),
  },
});

const cut = `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n`;
compare('gunzip: what is none', {
  backends: {
    GARBAGE: replyAndClose('this is not gzip at all', '200 OK', GZIP),
    BEHIND: replyAndClose(`${packed}behind`, '200 OK', GZIP),
    BROKEN: replyAndClose(packed.slice(0, 30) + '\xff'.repeat(40), '200 OK', GZIP),
    SHORT: reply(cut + packed.slice(0, -20)),
    CHECKSUM: replyAndClose(`${packed.slice(0, -8)}12345678`, '200 OK', GZIP),
  },
  http: `
    gunzip on;
    server {
      listen 127.0.0.1:%%PORT%%;
      location /garbage { proxy_pass http://%%GARBAGE%%; }
      location /behind { proxy_pass http://%%BEHIND%%; }
      location /broken { proxy_pass http://%%BROKEN%%; }
      location /short { proxy_pass http://%%SHORT%%; }
      location /checksum { proxy_pass http://%%CHECKSUM%%; }
    }`,
  cases: Object.fromEntries(
    ['garbage', 'behind', 'broken', 'short', 'checksum'].map((name) => [
      name,
      {
        act: get(`/${name}`),
        without: { client: 'how much of it goes out before it is seen' },
        // When it is seen behind the peer's last byte, our line says no more of the peer.
        normalize: [{ from: /, upstream: "[^"]*"/g, to: '' }],
      },
    ]),
  ),
});
