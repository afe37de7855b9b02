import { reply } from '../support/scripted-backend.ts';
import { type Connection, HALF_CLOSE, head, on, raw, STAY } from './client-script.ts';
import { type Case, compare } from './compare.ts';

/** Refused by us though nginx lets it through: 400, the connection closed, nothing forwarded. */
function stricter(act: Connection): Case {
  return {
    act,
    differs: {
      because: 'strict framing',
      evenkeel: {
        client: /^-- connection 1\nHTTP\/1\.1 400 Bad Request\n(.*\n)*\[closed\]$/,
        backends: /^$/,
        'access log': / 400 - -$/,
        'error log': /^\[(info|error)\] client sent/,
      },
    },
  };
}

/** Control bytes stay out of the error log. */
function loggedEscaped(act: Connection, line: RegExp): Case {
  return { act, differs: { because: 'bytes from variables', evenkeel: { 'error log': line } } };
}

/** A complete request whose head has these lines besides Host, with a second request behind it that must not be mistaken for a body. */
const withHeader = (...lines: string[]) =>
  raw(head('GET / HTTP/1.1', 'Host: localhost', ...lines, 'Connection: close'));
const withBody = (body: string, ...lines: string[]) =>
  raw(
    head('POST / HTTP/1.1', 'Host: localhost', ...lines),
    body,
    'GET /next HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
  );
const line = (requestLine: string) => raw(head(requestLine, 'Host: localhost', 'Connection: close'));

const backend = (request: { startLine: string }) => reply(`got ${request.startLine}`);

compare('malformed request line', {
  backends: { A: backend },
  http: `server { listen 127.0.0.1:%%PORT%%; location / { proxy_pass http://%%A%%; } }`,
  cases: {
    'lower-case method': line('get / HTTP/1.1'),
    'mixed-case method': line('GeT / HTTP/1.1'),
    'unknown method': line('FROBNICATE / HTTP/1.1'),
    'method with a dash and underscore': line('M-SEARCH_X / HTTP/1.1'),
    'method with a digit': line('GET1 / HTTP/1.1'),
    'HEAD and a bad version: no body': line('HEAD / HTTP/1.x'),
    'HEAD and too new a version: no body': line('HEAD / HTTP/2.0'),
    'method with a bad character': line('GE@T / HTTP/1.1'),
    TRACE: line('TRACE / HTTP/1.1'),
    'OPTIONS *': line('OPTIONS * HTTP/1.1'),
    'PRI * HTTP/2.0': raw('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    'no method': line(' / HTTP/1.1'),
    'no URI': line('GET  HTTP/1.1'),
    'no version with Host': line('GET /'),
    'HTTP/0.9': raw('GET /\r\n'),
    'HTTP/0.9 with other methods': raw('POST /\r\n'),
    'several spaces': line('GET   /   HTTP/1.1'),
    'space after the version': line('GET / HTTP/1.1  '),
    'space in the URI': line('GET /a b HTTP/1.1'),
    'tab as a separator': loggedEscaped(line('GET\t/\tHTTP/1.1'), /request: "GET\\x09\/\\x09HTTP\/1.1"$/),
    'version 1.2': line('GET / HTTP/1.2'),
    'version 1.9': line('GET / HTTP/1.9'),
    'version 1.10': line('GET / HTTP/1.10'),
    'version 1.123': line('GET / HTTP/1.123'),
    'version 2.0': line('GET / HTTP/2.0'),
    'version 0.9': line('GET / HTTP/0.9'),
    'version 01.1': line('GET / HTTP/01.1'),
    'version 1': line('GET / HTTP/1'),
    'version 1.': line('GET / HTTP/1.'),
    'version in lower case': line('GET / http/1.1'),
    'version HTTPS': line('GET / HTTPS/1.1'),
    'version 11.1': line('GET / HTTP/11.1'),
    'garbage behind the version': line('GET / HTTP/1.1x'),
    'bare LF line ends': raw('GET / HTTP/1.1\nHost: localhost\nConnection: close\n\n'),
    'bare CR in the request line': line('GET /\rx HTTP/1.1'),
    'NUL in the URI': loggedEscaped(line('GET /\0 HTTP/1.1'), /request: "GET \/\\x00 HTTP\/1.1"$/),
    'empty lines before': raw('\r\n\r\n\n', head('GET / HTTP/1.1', 'Host: localhost', 'Connection: close')),
    'a lone CR before': raw('\r', head('GET / HTTP/1.1', 'Host: localhost', 'Connection: close')),
    'TLS bytes': loggedEscaped(
      raw('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'),
      /request: "\\x16\\x03\\x01\\x02\\x00\\x01\\x00\\x01\xfc\\x03\\x03"$/,
    ),
    garbage: loggedEscaped(raw('\x00\x01\x02\x03\r\n\r\n'), /request: "\\x00\\x01\\x02\\x03"$/),
    'nothing but an empty line': on(['\r\n', STAY]),
    'colon in the scheme': line('GET http:/a HTTP/1.1'),
    'bad host in an absolute URI': line('GET http://a_b..c/ HTTP/1.1'),
    'bad port in an absolute URI': line('GET http://localhost:x/ HTTP/1.1'),
  },
});

compare('malformed header', {
  backends: { A: backend },
  http: `server { listen 127.0.0.1:%%PORT%%; location / { proxy_pass http://%%A%%; } }`,
  cases: {
    'no Host in HTTP/1.1': raw(head('GET / HTTP/1.1', 'Connection: close')),
    'two Hosts, the same': withHeader('Host: localhost'),
    'two Hosts, different': withHeader('Host: other'),
    'Host with a path': raw(head('GET / HTTP/1.1', 'Host: local/host', 'Connection: close')),
    'Host with a space': raw(head('GET / HTTP/1.1', 'Host: local host', 'Connection: close')),
    'Host with NUL': raw(head('GET / HTTP/1.1', 'Host: local\0host', 'Connection: close')),
    'Host with two dots': raw(head('GET / HTTP/1.1', 'Host: local..host', 'Connection: close')),
    'Host of dots': raw(head('GET / HTTP/1.1', 'Host: .', 'Connection: close')),
    'no colon': stricter(withHeader('nonsense')),
    'colon only': withHeader(': value'),
    'space before the colon': withHeader('X-A : value'),
    'tab before the colon': withHeader('X-A\t: value'),
    'space in the name': withHeader('X A: value'),
    'space before the name': withHeader(' X-A: value'),
    'first header indented': raw(head('GET / HTTP/1.1', ' Host: localhost', 'Connection: close')),
    'obs-fold with a space': withHeader('X-A: one', ' two'),
    'obs-fold with a tab': withHeader('X-A: one', '\ttwo'),
    'obs-fold of nothing': withHeader('X-A: one', ' '),
    'bare CR in a value': withHeader('X-A: one\rX-B: two'),
    'bare CR in a name': withHeader('X\r-A: one'),
    'bare CR at the end of a value': stricter(withHeader('X-A: one\r')),
    'NUL in a value': withHeader('X-A: one\0two'),
    'control byte in a value': stricter(withHeader('X-A: one\x01two')),
    'DEL in a value': stricter(withHeader('X-A: one\x7ftwo')),
    'tab in a value': withHeader('X-A: one\ttwo'),
    'high bytes in a value': withHeader('X-A: \u00c3\u00a9'),
    'control byte in a name': withHeader('X\x01A: one'),
    'DEL in a name': withHeader('X\x7fA: one'),
    'high byte in a name': withHeader('X\u00e9: one'),
    'special token characters in a name': withHeader("X!#$%&'*+.^`|~: one"),
    'separator in a name': withHeader('X(a): one'),
    'slash in a name': withHeader('X/a: one'),
    'quote in a name': withHeader('X"a": one'),
    'underscore in a name': withHeader('X_A: one'),
    'digits in a name': withHeader('X1: one', '1: two'),
    'empty value': withHeader('X-A:'),
    'blanks around a value': withHeader('X-A:   one two   '),
    'no blank before a value': withHeader('X-A:one'),
    'bare LF between headers': raw('GET / HTTP/1.1\r\nHost: localhost\nX-A: 1\r\nConnection: close\n\r\n'),
    'the head breaks off': on(['GET / HTTP/1.1\r\nHost: localhost\r\n', HALF_CLOSE]),
    'the request line breaks off': on(['GET / HT', HALF_CLOSE]),
  },
});

compare('malformed framing', {
  backends: { A: backend },
  http: `server { listen 127.0.0.1:%%PORT%%; location / { proxy_pass http://%%A%%; } }`,
  cases: {
    'content-length and chunked': withBody('0\r\n\r\n', 'Content-Length: 5', 'Transfer-Encoding: chunked'),
    'chunked and content-length': withBody('0\r\n\r\n', 'Transfer-Encoding: chunked', 'Content-Length: 5'),
    'chunked in HTTP/1.0': raw(head('POST / HTTP/1.0', 'Host: localhost', 'Transfer-Encoding: chunked'), '0\r\n\r\n'),
    'two content-lengths, the same': withBody('12345', 'Content-Length: 5', 'Content-Length: 5'),
    'two content-lengths, different': withBody('12345', 'Content-Length: 5', 'Content-Length: 4'),
    'content-length as a list': withBody('12345', 'Content-Length: 5, 5'),
    'content-length with a sign': withBody('12345', 'Content-Length: +5'),
    'negative content-length': withBody('12345', 'Content-Length: -5'),
    'content-length in hex': withBody('12345', 'Content-Length: 0x5'),
    'content-length with a letter behind': withBody('12345', 'Content-Length: 5a'),
    'content-length with a blank inside': withBody('12345', 'Content-Length: 5 5'),
    'empty content-length': withBody('', 'Content-Length:'),
    'content-length beyond 63 bits': withBody('12345', 'Content-Length: 99999999999999999999'),
    'content-length with leading zeros': withBody('12345', 'Content-Length: 0005'),
    'transfer-encoding identity': withBody('', 'Transfer-Encoding: identity'),
    'transfer-encoding gzip': withBody('', 'Transfer-Encoding: gzip'),
    'transfer-encoding gzip, chunked': withBody('0\r\n\r\n', 'Transfer-Encoding: gzip, chunked'),
    'transfer-encoding chunked, gzip': withBody('0\r\n\r\n', 'Transfer-Encoding: chunked, gzip'),
    'transfer-encoding chunked, chunked': withBody('0\r\n\r\n', 'Transfer-Encoding: chunked, chunked'),
    'two transfer-encodings': withBody('0\r\n\r\n', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'),
    'transfer-encoding without case': withBody('0\r\n\r\n', 'Transfer-Encoding: CHUNKED'),
    'transfer-encoding with a blank': withBody('0\r\n\r\n', 'Transfer-Encoding : chunked'),
    'transfer-encoding xchunked': withBody('0\r\n\r\n', 'Transfer-Encoding: xchunked'),
    'transfer-encoding with a vertical tab': stricter(withBody('0\r\n\r\n', 'Transfer-Encoding: \x0bchunked')),
    'empty transfer-encoding': withBody('', 'Transfer-Encoding:'),
    'chunk size with a letter that is no digit': withBody('5g\r\n12345\r\n0\r\n\r\n', 'Transfer-Encoding: chunked'),
    'chunk size empty': withBody('\r\n12345\r\n0\r\n\r\n', 'Transfer-Encoding: chunked'),
    'chunk size negative': withBody('-5\r\n12345\r\n0\r\n\r\n', 'Transfer-Encoding: chunked'),
    'chunk size with 0x': withBody('0x5\r\n12345\r\n0\r\n\r\n', 'Transfer-Encoding: chunked'),
    'chunk size beyond 63 bits': withBody('fffffffffffffffff\r\n12345\r\n0\r\n\r\n', 'Transfer-Encoding: chunked'),
    'chunk size with leading zeros': withBody('0005\r\n12345\r\n0\r\n\r\n', 'Transfer-Encoding: chunked'),
    'chunk size with leading blank': withBody(' 5\r\n12345\r\n0\r\n\r\n', 'Transfer-Encoding: chunked'),
    'chunk size with a blank behind': withBody('5 \r\n12345\r\n0\r\n\r\n', 'Transfer-Encoding: chunked'),
    'chunk extension': withBody('5;a=b\r\n12345\r\n0;c\r\n\r\n', 'Transfer-Encoding: chunked'),
    'chunk longer than said': withBody('4\r\n12345\r\n0\r\n\r\n', 'Transfer-Encoding: chunked'),
    'chunk shorter than said': stricter(withBody('6\r\n12345\r\n0\r\n\r\n', 'Transfer-Encoding: chunked')),
    'bare LF in chunked framing': stricter(withBody('5\n12345\n0\n\n', 'Transfer-Encoding: chunked')),
    'bare CR behind a chunk size': withBody('5\rx12345\r\n0\r\n\r\n', 'Transfer-Encoding: chunked'),
    trailers: withBody('5\r\n12345\r\n0\r\nX-Trailer: x\r\n\r\n', 'Transfer-Encoding: chunked'),
    'two chunks': withBody('5\r\n12345\r\n1\r\n6\r\n0\r\n\r\n', 'Transfer-Encoding: chunked'),
    'GET with a body': raw(head('GET / HTTP/1.1', 'Host: localhost', 'Content-Length: 3', 'Connection: close'), 'abc'),
    'smuggling by a blank in the name': withBody('0\r\n\r\n', 'Content-Length : 5', 'Transfer-Encoding: chunked'),
  },
});

compare('a malformed body that nobody reads', {
  http: `server { listen 127.0.0.1:%%PORT%%; location / { return 200 "text"; } location /next { return 204; } }
    server { listen 127.0.0.1:%%PORT_2%%; return 301 /there; }`,
  cases: {
    'where a text is returned': withBody('4\r\nlonger than four\r\n0\r\n\r\n', 'Transfer-Encoding: chunked'),
    'where a redirect is returned': on(
      [`${head('POST / HTTP/1.1', 'Host: localhost', 'Transfer-Encoding: chunked')}4\r\nlonger than four\r\n0\r\n\r\n`],
      { port: 'PORT_2' },
    ),
    'a redirect for who waits for 100 Continue': on(
      [
        head('POST / HTTP/1.1', 'Host: localhost', 'Content-Length: 4', 'Expect: 100-continue', 'Connection: close'),
        50,
        'body',
      ],
      { port: 'PORT_2' },
    ),
    'well-formed: the next request is found': withBody('4\r\nfour\r\n0\r\n\r\n', 'Transfer-Encoding: chunked'),
    'field that must come once': withHeader('Content-Range: a', 'Content-Range: b'),
  },
});
