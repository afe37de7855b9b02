import { reply } from '../support/scripted-backend.ts';
import { get, head, on, post, raw, request, times } from './client-script.ts';
import { compare } from './compare.ts';

/** The variables that a response body can show, by group; each group is one location. */
const SHOWN: Record<string, string[]> = {
  request: [
    'request',
    'request_method',
    'request_uri',
    'uri',
    'document_uri',
    'args',
    'query_string',
    'is_args',
    'server_protocol',
    'scheme',
    'https',
    'request_completion',
    'request_length',
  ],
  host: ['host', 'http_host', 'server_name'],
  address: ['remote_addr', 'server_addr', 'server_port', 'proxy_protocol_addr'],
  headers: [
    'http_x_a',
    'http_x_none',
    'http_user_agent',
    'http_referer',
    'http_cookie',
    'http_via',
    'http_x_forwarded_for',
    'content_type',
    'content_length',
    'remote_user',
  ],
  arguments: ['arg_a', 'arg_b', 'arg_A', 'arg_long_name', 'arg_none'],
  cookies: ['cookie_a', 'cookie_b', 'cookie_A', 'cookie_none'],
  response: ['sent_http_content_type', 'sent_http_x_added', 'status', 'limit_rate', 'body_bytes_sent', 'bytes_sent'],
  proxy: ['proxy_add_x_forwarded_for', 'proxy_host', 'proxy_port', 'upstream_addr', 'upstream_status'],
  connection: ['connection_requests', 'pipe'],
};

const locations = Object.entries(SHOWN).map(
  ([name, variables]) => `location /${name} { return 200 "${variables.map((one) => `${one}=[$${one}]`).join('\n')}"; }`,
);

compare('variables in a response', {
  http: `
    add_header X-Added added;
    server { listen 127.0.0.1:%%PORT%%; server_name localhost name.example; ${locations.join('\n')} }`,
  cases: {
    'of the request': get('/request/a%20b?x=1&y'),
    'of the request, without arguments': get('/request//a/../b'),
    'of the request, HTTP/1.0': get('/request?', { version: '1.0' }),
    'of the host': get('/host', { host: 'NAME.example:99' }),
    'of the host, unknown': get('/host', { host: 'other.example' }),
    'of the host, absent': get('/host', { host: null, version: '1.0' }),
    'of the address': get('/address', { from: '127.0.0.44' }),
    'of headers': get('/headers', {
      headers: [
        'X-A: 1',
        'User-Agent: ua',
        'Referer: ref',
        'Cookie: a=b',
        'Via: v',
        'X-Forwarded-For: 10.0.0.1',
        'Content-Type: text/x',
        'Authorization: Basic am9lOnB3',
      ],
    }),
    'of headers, none there': get('/headers'),
    'of arguments': get('/arguments?a=1&b=%20x&long_name=y&a=2'),
    'of arguments, names in any case': get('/arguments?A=upper'),
    'of arguments, odd forms': get('/arguments?xa=0&a&b=&a=late'),
    'of arguments, one that looks alike': get('/arguments?aa=1&b==2&=3'),
    'of cookies': get('/cookies', { headers: ['Cookie: a=1; b=2; a=3'] }),
    'of cookies, without blanks': get('/cookies', { headers: ['Cookie: a=1;b=2'] }),
    'of cookies, with commas and quotes': get('/cookies', { headers: ['Cookie: x=y; a="1"; b=2,3'] }),
    'of cookies, one that looks alike': get('/cookies', { headers: ['Cookie: aa=1; b =2; a=3'] }),
    'of the response': get('/response'),
    'of the proxy, outside of one': get('/proxy'),
    'of the connection': get('/connection'),
    'of a POST': post('/headers', 'body', { headers: ['Content-Type: text/plain'] }),
    'bad Authorization': get('/headers', { headers: ['Authorization: Basic !!!'] }),
  },
});

const LOGGED: Record<string, string> = {
  upstream: '$upstream_addr|$upstream_status|$upstream_bytes_received|$upstream_bytes_sent|$upstream_response_length',
  upstreamHeaders:
    '$upstream_http_x_a|$upstream_http_x_none|$upstream_http_content_type|$upstream_cookie_c|$upstream_cookie_none|$upstream_http_set_cookie',
  times: '$upstream_connect_time|$upstream_header_time|$upstream_response_time|$request_time',
  sent: '$sent_http_x_a|$sent_http_content_type|$sent_http_content_length|$sent_http_connection|$sent_http_location|$sent_http_transfer_encoding|$sent_http_keep_alive|$sent_http_cache_control|$sent_http_last_modified',
  counts: '$status|$bytes_sent|$body_bytes_sent|$request_length|$request_completion|$connection_requests|$pipe',
  proxy: '$proxy_host|$proxy_port|$proxy_add_x_forwarded_for',
};

const formats = Object.entries(LOGGED).map(([name, text]) => `log_format ${name} '${text}';`);
const logs = Object.keys(LOGGED).map((name) => `access_log ${name}.log ${name};`);

compare('variables in the log', {
  backends: {
    A: (got) => {
      if (got.target === '/302') return reply('', '302 Found', { Location: 'http://elsewhere.example/' });
      if (got.target === '/chunked')
        return 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
      if (got.target === '/204') return 'HTTP/1.1 204 No Content\r\n\r\n';
      if (got.method === 'HEAD') return 'HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n';
      return reply('body', '200 OK', {
        'X-A': 'from upstream',
        'Content-Type': 'text/x',
        'Set-Cookie': 'c=cookie; Path=/',
        'Cache-Control': 'no-store',
        'Last-Modified': 'Mon, 28 Sep 1970 06:00:00 GMT',
      });
    },
    B: reply('unavailable', '503 Whatever'),
  },
  http: `
    server_tokens off;
    ${formats.join('\n')}
    ${logs.join('\n')}
    upstream both { server %%B%% max_fails=0; server %%A%% max_fails=0; }
    upstream none { server 127.0.0.1:%%DEAD%% max_fails=0; }
    proxy_set_header Host fixed;
    server {
      listen 127.0.0.1:%%PORT%%;
      location / { proxy_pass http://%%A%%; }
      location /own { return 200 "own"; }
      location /404 { return 404; }
      location /both { proxy_pass http://both; proxy_next_upstream http_503; }
      location /none { proxy_pass http://none; }
    }`,
  cases: {
    proxied: get('/'),
    'proxied HEAD': get('/', { method: 'HEAD' }),
    'proxied POST': post('/', 'request body'),
    'proxied, chunked': get('/chunked'),
    'proxied redirect': get('/302'),
    'proxied 204': get('/204'),
    'proxied with X-Forwarded-For': get('/', { headers: ['X-Forwarded-For: 10.1.1.1'] }),
    'not proxied': get('/own'),
    'not proxied, 404': get('/404'),
    'two peers tried': times(2, get('/both')),
    'refused connection': get('/none'),
    malformed: raw('NONSENSE\r\n\r\n'),
    'the connection stays': on([request('/', { keep: true }), { responses: 1 }, request('/')]),
    'HTTP/1.0': raw(head('GET / HTTP/1.0')),
  },
});

compare('variables of their own kind', {
  http: `
    log_format ids '$request_id $pid $connection $connection_time $time_local $msec $hostname';
    access_log access.log ids;
    server { listen 127.0.0.1:%%PORT%%; return 200 "$request_id $pid $connection"; }`,
  cases: {
    'have the right form': {
      act: get('/'),
      normalize: [
        { from: /\b[0-9a-f]{32}\b/g, to: '<request id>' },
        { from: /<request id> \d+ \d+/g, to: '<request id> <pid> <connection>' },
      ],
    },
  },
});
