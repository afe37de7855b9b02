import { replyAndClose } from '../support/scripted-backend.ts';
import { type ClientStep, type Connection, HALF_CLOSE, HANG_UP, inSuccession, on, request } from './client-script.ts';
import { type CaseOptions, compare } from './compare.ts';

const V1 = 'PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n';
const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n';
const INET = '\xc0\x00\x02\x01\xc0\x00\x02\x02\xdc\x04\x01\xbb';
const INET6 = `\x20\x01\x0d\xb8${'\0'.repeat(11)}\x01\x20\x01\x0d\xb8${'\0'.repeat(11)}\x02\xdc\x04\x01\xbb`;

function v2(command: number, family: number, rest: string): string {
  return `${SIGNATURE}${String.fromCharCode(command, family, rest.length >> 8, rest.length & 0xff)}${rest}`;
}

const GET = request('/');
const to = (...steps: readonly ClientStep[]) => on(steps, { port: 'PORT_PROXY' });

/** The older nginx logs everything that came, with its line ends. */
function broken(act: Connection): CaseOptions {
  return {
    act,
    differs: {
      because: 'newer than the oracle',
      evenkeel: {
        'error log':
          /^\[error\] broken header: "[^\n"]+" while reading PROXY protocol, client: 127\.0\.0\.1, server: \S+$/,
      },
    },
  };
}

compare('listen … proxy_protocol', {
  backends: { A: replyAndClose('ok') },
  http: `
    log_format proxied '$remote_addr [$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_addr $proxy_protocol_server_port] "$request" $status';
    access_log access.log proxied;
    server {
      listen 127.0.0.1:%%PORT_PROXY%% proxy_protocol;
      listen 127.0.0.1:%%PORT%%;
      listen unix:%%DIR%%/proxy.sock proxy_protocol;
      location / { return 200 "[$proxy_protocol_addr] [$proxy_protocol_port] [$proxy_protocol_server_addr] [$proxy_protocol_server_port] $remote_addr $server_addr:$server_port"; }
      location /real { set_real_ip_from 127.0.0.1; set_real_ip_from unix:; real_ip_header proxy_protocol; proxy_pass http://%%A%%; }
      location /denied { set_real_ip_from 127.0.0.1; real_ip_header proxy_protocol; deny 192.0.2.1; proxy_pass http://%%A%%; }
      location /headers { proxy_set_header Connection ""; proxy_set_header X-Client $proxy_protocol_addr:$proxy_protocol_port; proxy_pass http://%%A%%; }
    }
    server {
      listen 127.0.0.1:%%PORT_PROXY%%;
      server_name second;
      set_real_ip_from 127.0.0.0/8;
      real_ip_header proxy_protocol;
      return 200 "second: $remote_addr $remote_port $realip_remote_addr";
    }
    server {
      listen 127.0.0.1:%%PORT_PROXY%%;
      server_name third;
      set_real_ip_from 127.0.0.0/8;
      real_ip_header PROXY_protocol;
      return 200 "third: $remote_addr";
    }
    server {
      listen 127.0.0.1:%%PORT_SMALL%% proxy_protocol;
      client_header_buffer_size 64;
      client_header_timeout 1s;
      return 200 "[$proxy_protocol_addr]";
    }`,
  cases: {
    'version 1': to(V1 + GET),
    'version 1, IPv6': to(`PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n${GET}`),
    'version 1, unknown': to(`PROXY UNKNOWN\r\n${GET}`),
    'version 1, unknown with addresses': to(`PROXY UNKNOWN 1.1.1.1 2.2.2.2 1 2\r\n${GET}`),
    'version 1, port 0': to(`PROXY TCP4 1.1.1.1 2.2.2.2 0 0\r\n${GET}`),
    'version 1, addresses that are none': to(`PROXY TCP4 1:1 a.b 1 2\r\n${GET}`),
    'version 1, empty addresses': to(`PROXY TCP4   1 2\r\n${GET}`),
    'version 2': to(v2(0x21, 0x11, INET) + GET),
    'version 2, IPv6': to(v2(0x21, 0x21, INET6) + GET),
    'version 2, with TLVs': to(v2(0x21, 0x11, `${INET}\x01\x00\x02h2`) + GET),
    'version 2, LOCAL': to(v2(0x20, 0x00, '') + GET),
    'version 2, UDP': to(v2(0x21, 0x12, INET) + GET),
    'version 2, unix': to(v2(0x21, 0x31, 'x'.repeat(216)) + GET),
    'the request comes later': to(V1, 60, GET),
    'the request comes in pieces': to(`${V1}GET /`, 40, ' HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'),
    'several requests': {
      ...inSuccession(V1 + request('/', { keep: true }), request('/headers', { keep: true })),
      port: 'PORT_PROXY',
    },
    'pipelined behind it': to(V1 + request('/', { keep: true }) + request('/headers')),
    'a second header is a request': to(V1 + V1),
    'on a unix socket': on([V1 + request('/real')], { path: '%%DIR%%/proxy.sock' }),
    'passed on': to(V1 + request('/headers')),
    'as the real address': to(V1 + request('/real')),
    'as the real address, version 2 IPv6': to(v2(0x21, 0x21, INET6) + request('/real')),
    'as the real address, unknown': to(`PROXY UNKNOWN\r\n${request('/real')}`),
    'as the real address, one that is none': to(`PROXY TCP4 1:1 2:2 1 2\r\n${request('/real')}`),
    'as the real address of the server': to(V1 + request('/', { host: 'second' })),
    'in another spelling it is a field': to(V1 + request('/', { host: 'third' })),
    denied: to(V1 + request('/denied')),
    'a request without': broken(to(GET)),
    'a request without, slowly': to('G', 30, 'ET / HTTP/1.1\r\n'),
    TCP5: broken(to(`PROXY TCP5 1.1.1.1 2.2.2.2 1 2\r\n${GET}`)),
    'a port too many': broken(to(`PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n${GET}`)),
    'no ports': broken(to(`PROXY TCP4 1.1.1.1 2.2.2.2\r\n${GET}`)),
    'a port too large': broken(to(`PROXY TCP4 1.1.1.1 2.2.2.2 1 65536\r\n${GET}`)),
    'a letter in the address': broken(to(`PROXY TCP4 1.1.1.x 2.2.2.2 1 2\r\n${GET}`)),
    'a bare LF': broken(to(`PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n${GET}`)),
    'version 3': to(v2(0x31, 0x11, INET) + GET),
    'shorter than its addresses': to(v2(0x21, 0x21, INET) + GET),
    'larger than the buffer': on([v2(0x21, 0x11, INET + 'x'.repeat(100)) + GET], { port: 'PORT_SMALL' }),
    'as large as the buffer': on([v2(0x21, 0x11, INET + 'x'.repeat(36)) + GET], { port: 'PORT_SMALL' }),
    'a line longer than the buffer': on([`PROXY TCP4 ${'1'.repeat(80)} 1 1 1\r\n${GET}`], { port: 'PORT_SMALL' }),
    'nothing comes': on([], { port: 'PORT_SMALL' }),
    'nothing comes behind it': on([V1], { port: 'PORT_SMALL' }),
    'the client leaves at once': [to(HALF_CLOSE), on([20, GET])],
    'the client leaves behind it': [to(V1, 20, HANG_UP), on([20, GET])],
    'half of it and the client leaves': to('PROXY TCP4 1.1.1.1', HALF_CLOSE),
    'an address without it': on([GET]),
    'in pieces': {
      act: to('PROXY TCP4 192.0.2.1 192', 30, '.0.2.2 56324 443\r\n', 30, GET),
      differs: {
        because: 'PROXY protocol',
        evenkeel: {
          client: /\[192\.0\.2\.1\] \[56324\]/,
          'access log': /192\.0\.2\.1 56324/,
          'error log': /^$/,
        },
      },
    },
    'version 2 in pieces': {
      act: to(v2(0x21, 0x11, INET).slice(0, 20), 30, v2(0x21, 0x11, INET).slice(20) + GET),
      differs: {
        because: 'PROXY protocol',
        evenkeel: {
          client: /\[192\.0\.2\.1\] \[56324\]/,
          'access log': /192\.0\.2\.1 56324/,
          'error log': /^$/,
        },
      },
    },
  },
});
