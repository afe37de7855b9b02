import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { makeCertificate } from '../support/certificates.ts';
import { H2Client, type H2Response, readResponse } from '../support/h2-client.ts';
import { END_HEADERS, END_STREAM, FRAME, fields, frame, RawH2Client } from '../support/h2-frames.ts';
import { HANG, reply } from '../support/scripted-backend.ts';
import { get, inSuccession, request } from './client-script.ts';
import { compare } from './compare.ts';
import type { Stage } from './stage.ts';

const PAIR = makeCertificate('site');
const LOG = `log_format h2 '$status "$request" $server_protocol http2=[$http2] host=$host http_host=$http_host conn_requests=$connection_requests pipe=$pipe done=$request_completion body=$body_bytes_sent scheme=$scheme cookie=[$http_cookie]'; access_log access.log h2;`;

/** The response as lines of the transcript; fields by name, for their order is the encoder's. */
function show(stage: Stage, response: H2Response): void {
  const lines: string[] = [];
  for (let i = 0; i < response.fields.length; i += 2) {
    const [name, value] = [response.fields[i] ?? '', response.fields[i + 1] ?? ''];
    lines.push(name === 'date' ? 'date: …' : name === 'server' ? 'server: …' : `${name}: ${value}`);
  }
  stage.note(`status ${response.status}${response.resetCode === 0 ? '' : ` reset ${response.resetCode}`}`);
  for (const line of lines.sort()) stage.note(line);
  stage.note(response.body.toString('latin1').replace(/nginx\/[\d.]+/, 'nginx/…'));
  if (response.trailers !== null) stage.note(`trailers ${JSON.stringify(response.trailers)}`);
}

const run = promisify(execFile);

/** What a program of others says of it: `%` stands for scheme, host and port. */
function tool(program: string, port: string, ...args: readonly string[]) {
  return async (stage: Stage): Promise<void> => {
    const filled = args.map((text) => text.replace('//%/', `//127.0.0.1:${stage.values[port]}/`));
    const said = await run(program, filled).then(
      ({ stdout }) => stdout,
      (error: Error & { code: unknown }) => `${program}: ${error.code}`,
    );
    stage.note(said.replace(/^(date|server): .*$/gim, '$1: …').replaceAll(/nginx\/[\d.]+/g, 'nginx/…'));
  };
}

type Headers = Record<string, string | string[]>;

/** Requests one after the other on one connection. */
function ask(...requests: readonly (string | Headers | readonly [Headers, string])[]) {
  return async (stage: Stage): Promise<void> => {
    const client = await H2Client.connect(Number(stage.values['PORT']));
    for (const one of requests) {
      const [headers, body] = Array.isArray(one) ? (one as [Headers, string]) : [one as string | Headers, undefined];
      show(stage, await client.ask(headers, body));
    }
    client.close();
  };
}

/** One request with exactly these fields. */
function rawHead(...texts: readonly string[]) {
  return async (stage: Stage): Promise<void> => {
    const client = await RawH2Client.connect(Number(stage.values['PORT']));
    client.send(frame(FRAME.headers, END_HEADERS | END_STREAM, 1, fields(...texts)));
    await Promise.race([client.until(FRAME.headers, 1), client.until(FRAME.reset, 1), client.untilClosed()]);
    stage.note(`status ${client.status(1)} reset ${client.resetCode(1)} goaway ${client.goawayCode}`);
    client.close();
  };
}

const GET = [':method', 'GET', ':path', '/text', ':scheme', 'http', ':authority', 'localhost'] as const;
const MALFORMED = {
  because: 'malformed HTTP/2',
  evenkeel: { client: /reset 1/, 'access log': /^$/, 'error log': /^$/ },
} as const;
/** What is refused in another layer is told in other words, and nobody has a request to log. */
const otherwise = (...texts: readonly string[]) => ({ act: rawHead(...texts), differs: MALFORMED });

/** nghttp2 tells nobody of a field with such a value; it goes no further. */
const leftOut = (...texts: readonly string[]) => ({
  act: rawHead(...texts),
  differs: {
    because: 'malformed HTTP/2',
    evenkeel: { client: /status 200/, 'access log': /200 "GET/, 'error log': /^$/ },
  } as const,
});

compare('http2', {
  backends: {
    A: reply('from A'),
    T: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    HEADS:
      'HTTP/1.1 200 OK\r\nX-Up: one\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nLast-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\nETag: "x"\r\nContent-Length: 2\r\n\r\nok',
    BROKEN: ['HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf', 20],
    SILENT: [HANG],
    BAD: 'HTTP/1.1 nonsense\r\n\r\n',
  },
  http: `
    ${LOG}
    server {
      listen 127.0.0.1:%%PORT%% http2;
      server_name localhost;
      root %%DIR%%/html;
      location = /text { return 200 "text"; add_header X-One 1; }
      location = /all { return 200 "$request $host $http_host $server_protocol $http2 $request_uri $args $is_args $http_cookie $content_length $http_x_a"; }
      location = /redirect { return 301 /text; }
      location = /204 { return 204; }
      location = /304 { return 304; }
      location = /444 { return 444; }
      location = /404 { return 404; }
      location = /500 { return 500; }
      location = /page { error_page 418 =200 /text; return 418; }
      location /file { }
      location /a { proxy_pass http://%%A%%; proxy_set_header X-All "$request $http2"; proxy_set_header Connection ""; }
      location /t { proxy_pass http://%%T%%; }
      location /heads { proxy_pass http://%%HEADS%%; }
      location /broken { proxy_pass http://%%BROKEN%%; }
      location /bad { proxy_pass http://%%BAD%%; }
      location /dead { proxy_pass http://%%DEAD%%; }
      location /silent { proxy_pass http://%%SILENT%%; }
      location /small { client_max_body_size 5; proxy_pass http://%%A%%; }
      location /slow { limit_rate 20k; return 200 "${'s'.repeat(2000)}"; }
      location /named { return 200 $server_name; }
    }
    server { listen 127.0.0.1:%%PORT%%; server_name other; return 200 "other $host"; }`,
  files: { 'html/file.txt': 'a file', 'html/file/index.html': 'index' },
  cases: {
    'an answer of its own': ask('/text'),
    'what variables say': ask({ ':path': '/all?a=1&b', cookie: ['a=1', 'b=2', 'c=3'], 'x-a': 'v' }),
    'one after the other': ask('/text', '/text', '/204'),
    'another server by :authority': ask({ ':path': '/', ':authority': 'other:80' }),
    HEAD: ask({ ':path': '/text', ':method': 'HEAD' }),
    '204': ask('/204'),
    '304': ask('/304'),
    '404': ask('/404'),
    '500': ask('/500'),
    error_page: ask('/page'),
    'a redirect': ask('/redirect'),
    'a file': ask('/file.txt'),
    'a range of a file': ask({ ':path': '/file.txt', range: 'bytes=0-1' }),
    'a folder without its slash': ask('/file'),
    'a peer': ask('/a/b?c'),
    'POST with a length': ask([{ ':path': '/a', ':method': 'POST', 'content-length': '4' }, 'body']),
    'POST without a length': ask([{ ':path': '/a', ':method': 'POST' }, 'body']),
    'POST of nothing': ask([{ ':path': '/a', ':method': 'POST' }, '']),
    'a body in chunks': ask('/t'),
    'fields of a peer': ask('/heads'),
    'a bad gateway': {
      act: ask('/bad'),
      differs: { because: 'strict framing', evenkeel: { client: /status 502/, 'access log': /^access.log: 502/ } },
    },
    'a dead gateway': ask('/dead'),
    'a body that is too large': ask([{ ':path': '/small', ':method': 'POST', 'content-length': '6' }, 'sixsix']),
    limit_rate: ask('/slow'),
    'a method of its own': ask({ ':path': '/text', ':method': 'PURGE' }),
    'OPTIONS *': rawHead(':method', 'OPTIONS', ':path', '*', ':scheme', 'http', ':authority', 'localhost'),
    TRACE: ask({ ':path': '/text', ':method': 'TRACE' }),
    'an empty host': otherwise(':method', 'GET', ':path', '/named', ':scheme', 'http', ':authority', ''),
    'a bad host': otherwise(':method', 'GET', ':path', '/named', ':scheme', 'http', ':authority', 'a/b'),
    'Host instead of :authority': rawHead(':method', 'GET', ':path', '/named', ':scheme', 'http', 'host', 'other'),
    'an odd name is left out': rawHead(...GET, 'x!odd', '1'),
    'an underscore is left out': rawHead(...GET, 'x_odd', '1'),
    'a path that leads out': rawHead(':method', 'GET', ':path', '/../x', ':scheme', 'http', ':authority', 'localhost'),
    'a duplicate of a unique field': rawHead(...GET, 'authorization', 'a', 'authorization', 'b'),
    'an upper-case name': otherwise(...GET, 'Bad', '1'),
    'no :path': otherwise(':method', 'GET', ':scheme', 'http', ':authority', 'localhost'),
    'no :method': otherwise(':path', '/text', ':scheme', 'http', ':authority', 'localhost'),
    'a pseudo-header field twice': otherwise(':method', 'GET', ...GET),
    'an unknown pseudo-header field': otherwise(...GET.slice(0, 6), ':odd', '1'),
    'a pseudo-header field behind others': otherwise('x-a', '1', ...GET),
    'a relative path': otherwise(':method', 'GET', ':path', 'text', ':scheme', 'http', ':authority', 'localhost'),
    Connection: otherwise(...GET, 'connection', 'close'),
    'Transfer-Encoding': otherwise(...GET, 'transfer-encoding', 'chunked'),
    'a line feed in a value': leftOut(...GET, 'x-a', 'a\nb: c'),
    'a NUL in a value': leftOut(...GET, 'x-a', 'a\0b'),
    'a bad length': otherwise(...GET, 'content-length', 'x'),
    'curl, prior knowledge': tool('curl', 'PORT', '-si', '--http2-prior-knowledge', 'http://%/text'),
    'curl, a body': tool('curl', 'PORT', '-si', '--http2-prior-knowledge', '-d', 'x=1', 'http://%/a'),
    'curl, upgrade to h2c': {
      act: tool('curl', 'PORT', '-s', '--http2', '-w', '%{http_version}', 'http://%/text'),
      // The oracle speaks HTTP/2 alone where its listen says http2.
      differs: {
        because: 'newer than the oracle',
        evenkeel: { client: /text1\.1$/, 'access log': /200 "GET \/text HTTP\/1\.1"/, 'error log': /^$/ },
      },
    },
    nghttp: tool('nghttp', 'PORT', 'http://%/text', 'http://%/heads', 'http://%/t'),
    'a client that resets its request': {
      act: async (stage: Stage) => {
        const client = await H2Client.connect(Number(stage.values['PORT']));
        const stream = client.open({ ':path': '/silent', ':authority': 'localhost' });
        await stage.backends.get('SILENT')?.untilRequests(1);
        stream.close(8);
        await readResponse(stream);
        client.close();
      },
      normalize: [{ from: / while sending request to upstream/g, to: '' }],
    },
  },
});

compare('http2 by ALPN', {
  http: `
    ${LOG}
    server {
      listen 127.0.0.1:%%PORT%% ssl http2;
      server_name localhost;
      ssl_certificate c.pem; ssl_certificate_key c.key;
      ssl_protocols TLSv1.2 TLSv1.3;
      return 200 "$http2 $server_protocol $ssl_protocol $scheme";
    }
    server {
      listen 127.0.0.1:%%PORT_2%% ssl;
      ssl_certificate c.pem; ssl_certificate_key c.key;
      return 200 "$http2 $server_protocol $scheme";
    }`,
  files: { 'c.pem': PAIR.cert, 'c.key': PAIR.key },
  cases: {
    h2: async (stage) => {
      const client = await H2Client.connect(Number(stage.values['PORT']), { isTls: true });
      show(stage, await client.ask({ ':path': '/', ':authority': 'localhost' }));
      client.close();
    },
    'curl, ALPN': tool('curl', 'PORT', '-ski', 'https://%/'),
    'curl, HTTP/1.1 by choice': tool('curl', 'PORT', '-ski', '--http1.1', 'https://%/'),
    'http/1.1 at the same port': get('/', { tls: { ALPNProtocols: ['http/1.1'] } }),
    'no ALPN': get('/', { tls: {} }),
    'h2 is not offered elsewhere': {
      act: async (stage: Stage) => {
        const client = await stage.connect({ port: 'PORT_2', tls: { ALPNProtocols: ['h2', 'http/1.1'] } });
        stage.note(String((client.socket as import('node:tls').TLSSocket).alpnProtocol));
        client.close();
      },
      without: { 'error log': 'how far the handshake got when the client left is chance' },
    },
    'kept connections of HTTP/1.1': { act: { ...inSuccession(request('/', { keep: true }), request('/')), tls: {} } },
  },
});
