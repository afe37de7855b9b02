import { describe, expect, test } from 'vitest';
import { compileGroup, compileText } from '../../support/compile-text.ts';
import { ask, type FakeRequest } from '../../support/fake-client-stream.ts';

describe('return', () => {
  const group = compileGroup(`
    server {
      listen 8080;
      location /text { return 200 "hello $uri"; }
      location /empty { return 200; }
      location /typed.html { return 200 x; }
      location /404 { return 404; }
      location /404-text { return 404 gone; }
      location /418 { return 418; }
      location /494 { return 494; }
      location /500 { return 500; }
      location /301 { return 301 /there?$args; }
      location /302 { return https://other.example/; }
      location /300 { return 300 choose; }
      location /444 { return 444; }
      location / { return 204 ignored; }
    }`);

  const PAGE_404 =
    '<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n' +
    '<hr><center>nginx/1.29.8</center>\r\n</body>\r\n</html>\r\n';

  test.each<[string, FakeRequest, object, string | RegExp]>([
    ['a text', { target: '/text/a' }, { status: 200, contentType: 'text/plain', contentLength: 13 }, 'hello /text/a'],
    ['no text', { target: '/empty' }, { status: 200, contentType: 'text/plain', contentLength: 0 }, ''],
    ['a type by extension', { target: '/typed.html' }, { status: 200, contentType: 'text/html' }, 'x'],
    ['a page', { target: '/404' }, { status: 404, contentType: 'text/html', contentLength: 153 }, PAGE_404],
    ['a text with an error', { target: '/404-text' }, { status: 404, contentType: 'text/plain' }, 'gone'],
    ['a status without a page', { target: '/418' }, { status: 418, contentType: '', contentLength: 0 }, ''],
    ['a status of nginx alone', { target: '/494' }, { status: 400, keepAlive: true }, /Request Header Or Cookie Too/],
    ['500, which closes', { target: '/500' }, { status: 500, keepAlive: false }, /500 Internal Server Error/],
    [
      'a path made absolute',
      { target: '/301?a=b' },
      { status: 301, contentType: 'text/html', fields: ['Location: http://localhost:8080/there?a=b'] },
      /301 Moved Permanently/,
    ],
    ['a URL alone', { target: '/302' }, { status: 302, fields: ['Location: https://other.example/'] }, /302 Found/],
    ['300 with its text', { target: '/300' }, { status: 300, contentType: 'text/plain', fields: [] }, 'choose'],
    ['204, which has nothing', { target: '/x' }, { status: 204, contentType: '', contentLength: -1 }, ''],
    ['HEAD', { target: '/text', method: 'HEAD' }, { status: 200, contentLength: 11 }, ''],
    ['HEAD of a page', { target: '/404', method: 'HEAD' }, { status: 404, contentLength: 153 }, ''],
  ])('%s', (_name, request, head, body) => {
    const stream = ask(group, request);
    expect(stream.head).toMatchObject(head);
    expect(stream.body).toEqual(typeof body === 'string' ? body : expect.stringMatching(body));
    expect(stream.isEnded).toBe(true);
    expect(stream.isAborted).toBe(false);
  });

  test('444 closes without an answer', () => {
    const stream = ask(group, { target: '/444' });
    expect(stream).toMatchObject({ head: null, isAborted: true });
  });

  test.each<[string, number]>([
    ['Mozilla/4.0 (compatible; MSIE 6.0)', 555],
    ['Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/100.0', 555],
    ['Mozilla/5.0 (X11; rv:109.0) Gecko/20100101 Firefox/115.0', 153],
    ['Mozilla/4.0 (compatible; MSIE 6.0) Opera 9', 153],
    ['curl/8', 153],
  ])('pads error pages for %s to %d bytes', (agent, length) => {
    const { head, body } = ask(group, { target: '/404', fields: [`User-Agent: ${agent}`] });
    expect(head?.contentLength).toBe(length);
    expect(body.length).toBe(length);
  });

  test('reads and drops the body that it does not want', () => {
    expect(ask(group, { target: '/text', method: 'POST', contentLength: 5 }).isDiscarding).toBe(true);
  });
});

describe('what is refused before a location is looked for', () => {
  const group = compileGroup('server { listen 8080; location / { return 200; } }');

  test.each<[string, FakeRequest, number]>([
    ['HTTP/1.1 without Host', { host: null }, 400],
    ['an empty Host', { host: '' }, 400],
    ['a bad Host', { host: 'a..b' }, 400],
    ['a path above the root', { target: '/../etc' }, 400],
    ['NUL in the path', { target: '/%00' }, 400],
    ['a broken escape', { target: '/%zz' }, 400],
    ['no path at all', { target: '*', method: 'OPTIONS' }, 400],
    ['TRACE', { method: 'TRACE' }, 405],
    ['CONNECT', { method: 'CONNECT' }, 405],
    ['HTTP/1.0 without Host is fine', { host: null, version: 10 }, 200],
    ['a body that is too large', { method: 'POST', contentLength: 1_048_577 }, 413],
    ['a body that is just not', { method: 'POST', contentLength: 1_048_576 }, 200],
  ])('%s', (_name, request, status) => {
    const { head } = ask(group, request);
    expect(head).toMatchObject(status === 200 ? { status } : { status, keepAlive: false });
  });

  test('is said in the error log', () => {
    const { runtime, logLines } = compileText('error_log e info; server { listen 8080; location / { return 200; } }');
    const group = runtime?.listeners[0]?.group;
    if (group === undefined) throw new Error('no group');
    ask(group, { host: null, target: '/a' });
    ask(group, { method: 'POST', contentLength: 1_048_577 });
    const texts = (logLines.get('e') ?? []).map((line) => line.replace(/^[^[]*/, '').replace(/\d+#\d+: \*1 /, ''));
    expect(texts.map((line) => line.trimEnd())).toEqual([
      '[info] client sent HTTP/1.1 request without "Host" header while reading client request headers, client: 127.0.0.1, server: , request: "GET /a HTTP/1.1"',
      '[error] client intended to send too large body: 1048577 bytes, client: 127.0.0.1, server: , request: "POST / HTTP/1.1", host: "localhost"',
    ]);
  });
});

describe('keep-alive', () => {
  const group = compileGroup(`
    server {
      listen 8080;
      location / { return 200; }
      location /off { keepalive_timeout 0; return 200; }
      location /few { keepalive_requests 2; return 200; }
      location /short { keepalive_time 1s; return 200; }
    }`);

  test.each<[string, FakeRequest, boolean]>([
    ['is kept', { target: '/' }, true],
    ['is not when the client does not want it', { target: '/', keepAlive: false }, false],
    ['ends with a timeout of 0', { target: '/off' }, false],
    ['goes on below the number of requests', { target: '/few', connection: { requests: 1 } }, true],
    ['ends with the last request', { target: '/few', connection: { requests: 2 } }, false],
    ['ends when the connection is old', { target: '/short', connection: { acceptedAtMs: -2000 } }, false],
  ])('%s', (_name, request, keepAlive) => {
    expect(ask(group, request).head?.keepAlive).toBe(keepAlive);
  });
});

describe('redirects to paths', () => {
  const of = (directives: string, request: FakeRequest) =>
    ask(compileGroup(`server { listen 8080; server_name main.example; ${directives} return 301 /to; }`), request).head
      ?.fields[0];
  const at80 = { localPort: 80 };

  test.each<[string, string, FakeRequest, string]>([
    ['name host and port', '', {}, 'http://localhost:8080/to'],
    ['leave the usual port out', '', { connection: at80 }, 'http://localhost/to'],
    ['know TLS', '', { connection: { isTls: true, localPort: 443 } }, 'https://localhost/to'],
    ['port_in_redirect off', 'port_in_redirect off;', {}, 'http://localhost/to'],
    ['absolute_redirect off', 'absolute_redirect off;', {}, '/to'],
    ['server_name_in_redirect', 'server_name_in_redirect on;', { connection: at80 }, 'http://main.example/to'],
    ['without a host, by the address', '', { host: null, version: 10 }, 'http://127.0.0.1:8080/to'],
  ])('%s', (_name, directives, request, location) => {
    expect(of(directives, request)).toBe(`Location: ${location}`);
  });
});

describe('allow and deny', () => {
  // What is let in finds no file.
  const group = compileGroup(`
    server {
      listen 8080;
      deny 10.1.0.0/16; allow 10.0.0.0/8; allow 2001:db8::/33; allow unix:; deny all;
      location / { }
      location /return { return 200; }
      location /open { allow all; }
    }`);

  test.each<[string, number]>([
    ['10.2.0.1', 404],
    ['10.1.2.3', 403],
    ['11.0.0.1', 403],
    ['::ffff:10.9.9.9', 404],
    ['2001:db8:7fff::1', 404],
    ['2001:db8:8000::1', 403],
  ])('%s gets %d', (remoteAddress, status) => {
    expect(ask(group, { target: '/x', connection: { remoteAddress } }).head?.status).toBe(status);
  });

  test('clients of a unix socket', () => {
    const connection = { unixPath: '/run/a.sock', remoteAddress: '' };
    expect(ask(group, { target: '/x', connection }).head?.status).toBe(404);
  });

  test('rules of an inner level replace those of the outer one', () => {
    expect(ask(group, { target: '/open', connection: { remoteAddress: '11.0.0.1' } }).head?.status).toBe(404);
  });

  test('come after the rewrite phase', () => {
    expect(ask(group, { target: '/return', connection: { remoteAddress: '11.0.0.1' } }).head?.status).toBe(200);
  });
});

describe('add_header', () => {
  const group = compileGroup(`
    server {
      listen 8080;
      add_header X-Outer $uri;
      add_header X-Always 1 always;
      location / { return 200; }
      location /own { add_header X-Own 2; return 200; }
      location /empty { add_header X-Empty $arg_none; return 200; }
      location /403 { return 403; }
    }`);

  test.each<[string, readonly string[]]>([
    ['/a', ['X-Outer: /a', 'X-Always: 1']],
    ['/own', ['X-Own: 2']],
    ['/empty', []],
    ['/403', ['X-Always: 1']],
  ])('%s', (target, fields) => {
    expect(ask(group, { target }).head?.fields).toEqual(fields);
  });
});
