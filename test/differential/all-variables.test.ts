// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are nginx's variables

import { reply } from '../support/scripted-backend.ts';
import { get, HALF_CLOSE, inSuccession, on, post, raw, request } from './client-script.ts';
import { type Case, compare } from './compare.ts';

/** Every variable of nginx's core, upstream and proxy modules whose value does not depend on chance; families by one member. */
const SAME = [
  ...['arg_a', 'args', 'binary_remote_addr', 'body_bytes_sent', 'bytes_sent', 'connection_requests', 'content_length'],
  ...['content_type', 'cookie_a', 'document_root', 'document_uri', 'host', 'hostname', 'http_x_a', 'https', 'is_args'],
  ...['limit_rate', 'pipe', 'proxy_add_x_forwarded_for', 'proxy_host', 'proxy_port', 'proxy_protocol_addr'],
  ...['proxy_protocol_port', 'proxy_protocol_server_addr', 'proxy_protocol_server_port', 'proxy_protocol_tlv_0x01'],
  ...['query_string', 'realpath_root', 'remote_addr', 'remote_user', 'request', 'request_body', 'request_completion'],
  ...[
    'request_filename',
    'request_length',
    'request_method',
    'request_uri',
    'scheme',
    'sent_http_x_a',
    'sent_trailer_x_a',
  ],
  ...[
    'server_addr',
    'server_name',
    'server_port',
    'server_protocol',
    'status',
    'upstream_addr',
    'upstream_bytes_received',
  ],
  ...['upstream_bytes_sent', 'upstream_cookie_a', 'upstream_http_x_a', 'upstream_response_length', 'upstream_status'],
  ...['upstream_trailer_x_a', 'upstream_cache_status', 'uri', 'nginx_version'],
];
/** Those that are times, shown as `<seconds>` when they have the right form, and identities. */
const FORMS = [
  ...['connection_time', 'msec', 'request_time', 'time_iso8601', 'time_local', 'upstream_connect_time'],
  ...['upstream_header_time', 'upstream_response_time'],
];
/** Numbers, whose value is chance. */
const NUMBERS = ['connection', 'pid', 'remote_port'];
/** Newer than the oracle, which would not start with them. */
const NOT_IN_THE_ORACLE = new Set(['proxy_protocol_tlv_0x01']);

const LOGGED = [...SAME.filter((name) => !NOT_IN_THE_ORACLE.has(name)), ...FORMS];
const aNumber = (name: string): { from: RegExp; to: string } => ({
  from: new RegExp(`\\b${name}=\\d+`, 'g'),
  to: `${name}=<number>`,
});
const of = (act: Case & object): Case => ({
  ...('act' in act ? act : { act }),
  normalize: [
    ...NUMBERS.map(aNumber),
    { from: /nginx_version=[\d.]+/g, to: 'nginx_version=<version>' },
    { from: /request_id=[0-9a-f]{32}\b/g, to: 'request_id=<id>' },
  ],
  without: { client: 'the log is what this is about' },
});

compare('every variable, in the log', {
  backends: {
    A: (got) =>
      got.target === '/trailers'
        ? 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-A: late\r\n\r\n'
        : reply('body', '200 OK', { 'X-A': 'theirs', 'Set-Cookie': 'a=b; Path=/', 'Content-Type': 'text/x' }),
  },
  http: `
    log_format all escape=none '${[...LOGGED, ...NUMBERS, 'request_id'].map((name) => `${name}=$${name}`).join('|')}';
    access_log access.log all;
    root /srv;
    server {
      listen 127.0.0.1:%%PORT%%;
      listen unix:%%DIR%%/own.sock;
      server_name name.example;
      location / { proxy_pass http://%%A%%; }
      location /own { return 200 "own"; }
      location /error { return 404; }
      location /refused { proxy_pass http://127.0.0.1:%%DEAD%%; }
    }
    server {
      listen 127.0.0.1:%%PORT%%;
      server_name second.example ~^(?<word>\\w+)\\.third\\.example$;
      access_log second.log all;
      server_tokens off;
    }`,
  cases: {
    proxied: of(
      get('/a%20b//c?a=1&b=2', {
        host: 'Name.example:99',
        headers: ['X-A: mine', 'Cookie: a=cookie', 'Authorization: Basic am9lOnB3', 'X-Forwarded-For: 10.0.0.1'],
      }),
    ),
    'proxied POST': of(post('/', 'the body', { headers: ['Content-Type: text/plain'] })),
    'proxied, trailers': of(get('/trailers')),
    'proxied HTTP/1.0 without a host': of(get('/', { version: '1.0', host: null })),
    'proxied, refused': of(get('/refused?a=%20')),
    'the second request of a connection': of(
      inSuccession(request('/', { keep: true }), request('/own', { keep: true })),
    ),
    'not proxied': of(get('/own?')),
    'an error page': of(get('/error')),
    HEAD: of(get('/own', { method: 'HEAD' })),
    'a unix socket': of({ steps: [request('/own')], path: '%%DIR%%/own.sock' }),
    'a malformed request line': of(raw('NONSENSE\r\n\r\n')),
    'a malformed header': of(raw('GET /x?a=1 HTTP/1.1\r\nHost: h\r\nX A: b\r\n\r\n')),
    'a malformed header, behind the Host of another server': of(
      raw('GET /x HTTP/1.1\r\nHost: second.example\r\nX A: b\r\n\r\n'),
    ),
    'a malformed header, before the Host of another server': of(
      raw('GET /x HTTP/1.1\r\nX A: b\r\nHost: second.example\r\n\r\n'),
    ),
    'a malformed header, the other server in the request line': of(
      raw('GET http://a.third.example/x?y HTTP/1.1\r\nX A: b\r\n\r\n'),
    ),
    'another version': of(raw('GET /x HTTP/7.1\r\nHost: second.example\r\n\r\n')),
    'empty lines before the request line': of(raw('\r\n\r\nGET /own HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')),
    'half a head and the client leaves': of(
      on(['GET /x?a=1 HTTP/1.1\r\nHost: second.example\r\nX-A: 1', 30, HALF_CLOSE]),
    ),
    'half a head': of(on(['GET /x?a=1 HTTP/1.1\r\nHost: h\r\n', 20, 'X-A: 1\r\nno colon\r\n\r\n'])),
  },
});

compare('what the kernel knows', {
  http: `
    log_format tcp '$tcpinfo_rtt $tcpinfo_rttvar $tcpinfo_snd_cwnd $tcpinfo_rcv_space';
    access_log access.log tcp;
    server { listen 127.0.0.1:%%PORT%%; return 200 "x"; }`,
  cases: { 'is empty': { act: get('/'), differs: { because: 'tcpinfo', evenkeel: { 'access log': /: - - - -$/ } } } },
});

compare('every variable, in a response', {
  http: `
    server {
      listen 127.0.0.1:%%PORT%%;
      listen [::1]:%%PORT%%;
      server_name name.example;
      root /srv;
      return 200 "${LOGGED.filter((name) => name !== 'hostname')
        .map((name) => `${name}=[$${name}]`)
        .join('\n')}";
    }`,
  cases: {
    GET: {
      act: get('/path?a=1', { headers: ['X-A: mine'] }),
      normalize: [
        { from: /nginx_version=\[[\d.]+\]/g, to: 'nginx_version=<version>' },
        { from: /Content-Length: \d+/g, to: 'Content-Length: …' },
      ],
    },
    'over IPv6': {
      act: on([request('/path')], { address: '::1' }),
      normalize: [
        { from: /nginx_version=\[[\d.]+\]/g, to: 'nginx_version=<version>' },
        { from: /Content-Length: \d+/g, to: 'Content-Length: …' },
      ],
    },
  },
});
