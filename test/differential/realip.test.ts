import { replyAndClose } from '../support/scripted-backend.ts';
import { get, inSuccession, on, request } from './client-script.ts';
import { type Case, compare } from './compare.ts';

const said = (target: string, ...headers: string[]) => get(target, { headers });
const forwarded = (value: string) => `X-Forwarded-For: ${value}`;

/** The proxy's port is another one in every run. */
const PORTS = { from: /port=\[\d{5}\]/g, to: 'port=[…]' };

/** Every case; those that say more than what the client does stay. */
function withoutPorts(cases: Readonly<Record<string, Case>>): Record<string, Case> {
  const entries = Object.entries(cases).map(([title, one]) => [
    title,
    typeof one === 'object' && 'act' in one ? one : { act: one, normalize: [PORTS] },
  ]);
  return Object.fromEntries(entries);
}

compare('real_ip', {
  backends: { A: replyAndClose('ok') },
  http: `
    log_format real '$remote_addr port=[$remote_port] $realip_remote_addr "$request" $status';
    access_log access.log real;
    limit_req_zone $binary_remote_addr zone=z:32k rate=1r/m;
    geo $where { default elsewhere; 1.1.1.0/24 one; 2.2.2.0/24 two; }
    upstream hashed { ip_hash; server %%A%% weight=1; server 127.0.0.1:%%DEAD%% down; }
    server {
      listen 127.0.0.1:%%PORT%%;
      listen [::1]:%%PORT%%;
      listen unix:%%DIR%%/real.sock;
      location / { return 200 "nothing in the server: $remote_addr"; }
      location /default { set_real_ip_from 127.0.0.1; proxy_pass http://%%A%%; }
      location /fwd { set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For; proxy_pass http://%%A%%; }
      location /recursive {
        set_real_ip_from 127.0.0.1; set_real_ip_from 10.0.0.0/8; set_real_ip_from 2001:db8::/32;
        real_ip_header X-Forwarded-For; real_ip_recursive on; proxy_pass http://%%A%%;
      }
      location /other-spelling {
        set_real_ip_from 127.0.0.1; set_real_ip_from 10.0.0.0/8;
        real_ip_header x-forwarded-for; real_ip_recursive on; proxy_pass http://%%A%%;
      }
      location /own { set_real_ip_from 127.0.0.1; real_ip_header X-Own; proxy_pass http://%%A%%; }
      location /name { set_real_ip_from localhost; proxy_pass http://%%A%%; }
      location /stranger { set_real_ip_from 10.0.0.0/8; proxy_pass http://%%A%%; }
      location /v6 { set_real_ip_from ::1; proxy_pass http://%%A%%; }
      location /unix { set_real_ip_from unix:; proxy_pass http://%%A%%; }
      location /denied { set_real_ip_from 127.0.0.1; deny 1.1.1.1; proxy_pass http://%%A%%; }
      location /allowed { set_real_ip_from 127.0.0.1; allow 1.1.1.1; deny all; proxy_pass http://%%A%%; }
      location /limited { set_real_ip_from 127.0.0.1; limit_req zone=z; proxy_pass http://%%A%%; }
      location /hashed { set_real_ip_from 127.0.0.1; proxy_pass http://hashed; }
      location /added { set_real_ip_from 127.0.0.1; proxy_set_header Connection ""; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_pass http://%%A%%; }
      location /protocol { set_real_ip_from 127.0.0.1; real_ip_header proxy_protocol; proxy_pass http://%%A%%; }
      location /nowhere { set_real_ip_from 127.0.0.1; proxy_pass http://127.0.0.1:%%DEAD%%; }
    }
    server {
      listen 127.0.0.1:%%PORT_2%%;
      set_real_ip_from 127.0.0.0/8;
      real_ip_header X-Forwarded-For;
      location / { return 200 "$remote_addr port=[$remote_port] $realip_remote_addr geo=$where server=$server_addr:$server_port"; }
      location /bytes { return 200 "$binary_remote_addr"; }
      location /realip-port { return 200 "port=[$realip_remote_port]"; }
      location /own { real_ip_header X-Own; proxy_pass http://%%A%%; }
      location /deny { deny 2.2.2.2; proxy_pass http://%%A%%; }
      location /missing { deny all; }
    }`,
  cases: withoutPorts({
    'nothing is said': get('/default'),
    'X-Real-IP by default': said('/default', 'X-Real-IP: 1.1.1.1'),
    'X-Real-IP twice': said('/default', 'X-Real-IP: 1.1.1.1', 'X-Real-IP: 2.2.2.2'),
    'X-Real-IP with a port': said('/default', 'X-Real-IP: 1.1.1.1:99'),
    'X-Real-IP, IPv6': said('/default', 'X-Real-IP: 2001:DB8:0:0:0::1'),
    'X-Real-IP, IPv6 with a port': said('/default', 'X-Real-IP: [2001:db8::1]:99'),
    'X-Real-IP, IPv6 in brackets': said('/default', 'X-Real-IP: [2001:db8::1]'),
    'X-Real-IP, IPv4 in brackets': said('/default', 'X-Real-IP: [1.1.1.1]:99'),
    'X-Real-IP, a mapped address': said('/default', 'X-Real-IP: ::ffff:1.1.1.1'),
    'X-Real-IP, an IPv6 address full of zeros': said('/default', 'X-Real-IP: 1:0:0:2:0:0:0:3'),
    'X-Real-IP, unspecified': said('/default', 'X-Real-IP: ::'),
    'X-Real-IP, several': said('/default', 'X-Real-IP: 1.1.1.1, 2.2.2.2'),
    'X-Real-IP, nonsense': said('/default', 'X-Real-IP: localhost'),
    'X-Real-IP, empty': said('/default', 'X-Real-IP: '),
    'X-Real-IP, port 0': said('/default', 'X-Real-IP: 1.1.1.1:0'),
    'X-Real-IP, leading zeros': said('/default', 'X-Real-IP: 001.002.003.004'),
    'X-Real-IP, a number too large': said('/default', 'X-Real-IP: 1.1.1.256'),
    'X-Real-IP, broadcast': said('/default', 'X-Real-IP: 255.255.255.255'),
    'X-Forwarded-For is not X-Real-IP': said('/default', forwarded('1.1.1.1')),
    'another field': said('/own', 'X-Own: 1.1.1.1'),
    'another field, twice': said('/own', 'x-own: 1.1.1.1', 'X-OWN: 2.2.2.2'),
    'X-Forwarded-For': said('/fwd', forwarded('1.1.1.1')),
    'X-Forwarded-For, the last counts': said('/fwd', forwarded('1.1.1.1, 2.2.2.2')),
    'X-Forwarded-For, no blanks': said('/fwd', forwarded('1.1.1.1,2.2.2.2')),
    'X-Forwarded-For, separators behind': said('/fwd', forwarded('1.1.1.1, 2.2.2.2 ,, ,')),
    'X-Forwarded-For, only separators': said('/fwd', forwarded(', ,')),
    'X-Forwarded-For, twice': said('/fwd', forwarded('1.1.1.1'), forwarded('2.2.2.2')),
    'recursive: one': said('/recursive', forwarded('1.1.1.1')),
    'recursive: behind trusted ones': said('/recursive', forwarded('1.1.1.1, 2.2.2.2, 10.1.1.1, 10.2.2.2')),
    'recursive: all trusted': said('/recursive', forwarded('10.1.1.1, 10.2.2.2')),
    'recursive: nonsense on the way': said('/recursive', forwarded('1.1.1.1, unknown, 10.2.2.2')),
    'recursive: nonsense at the end': said('/recursive', forwarded('1.1.1.1, unknown')),
    'recursive: over two fields': said('/recursive', forwarded('1.1.1.1, 10.1.1.1'), forwarded('10.2.2.2')),
    'recursive: over two fields, the second decides': said('/recursive', forwarded('1.1.1.1'), forwarded('2.2.2.2')),
    'recursive: over two fields, nonsense in the first': said('/recursive', forwarded('x'), forwarded('10.2.2.2')),
    'in another spelling it is a field like any other': said('/other-spelling', forwarded('1.1.1.1, 10.1.1.1')),
    'in another spelling, twice': said('/other-spelling', forwarded('2.2.2.2, 10.1.1.1'), forwarded('1.1.1.1')),
    'recursive: IPv6 on the way': said('/recursive', forwarded('1.1.1.1, 2001:db8::1, [2001:db8::2]:80')),
    'recursive: ports on the way': said('/recursive', forwarded('1.1.1.1:1, 10.1.1.1:2')),
    'a proxy that is not trusted': said('/stranger', 'X-Real-IP: 1.1.1.1'),
    'a proxy by name': said('/name', 'X-Real-IP: 1.1.1.1'),
    'an IPv6 proxy': on([request('/v6', { headers: ['X-Real-IP: 1.1.1.1'] })], { address: '::1' }),
    'an IPv6 proxy that is not trusted': on([request('/default', { headers: ['X-Real-IP: 1.1.1.1'] })], {
      address: '::1',
    }),
    'a unix socket': on([request('/unix', { headers: ['X-Real-IP: 1.1.1.1'] })], { path: '%%DIR%%/real.sock' }),
    'a unix socket that is not trusted': on([request('/default', { headers: ['X-Real-IP: 1.1.1.1'] })], {
      path: '%%DIR%%/real.sock',
    }),
    'PROXY protocol that is not there': said('/protocol', 'X-Real-IP: 1.1.1.1'),
    'deny sees it': said('/denied', 'X-Real-IP: 1.1.1.1'),
    'deny sees another': said('/denied', 'X-Real-IP: 1.1.1.2'),
    'allow sees it': said('/allowed', 'X-Real-IP: 1.1.1.1'),
    'allow sees the proxy': get('/allowed'),
    'limits see it': [
      said('/limited', 'X-Real-IP: 1.1.1.1'),
      said('/limited', 'X-Real-IP: 1.1.1.2'),
      said('/limited', 'X-Real-IP: 1.1.1.1'),
    ],
    'ip_hash sees it': said('/hashed', 'X-Real-IP: 1.1.1.1'),
    'X-Forwarded-For is added to': said('/added', 'X-Real-IP: 1.1.1.1', forwarded('3.3.3.3')),
    'the error log sees it': said('/nowhere', 'X-Real-IP: 1.1.1.1'),
    'each request of a connection has its own': inSuccession(
      request('/default', { keep: true, headers: ['X-Real-IP: 1.1.1.1'] }),
      request('/default', { keep: true }),
      request('/default', { keep: true, headers: ['X-Real-IP: 2.2.2.2'] }),
    ),
    'rewriting comes before a location’s': said('/', 'X-Real-IP: 1.1.1.1'),
    'of the server': { act: get('/', { port: 'PORT_2', headers: [forwarded('1.1.1.1')] }), normalize: [PORTS] },
    'of the server, with a port': get('/', { port: 'PORT_2', headers: [forwarded('1.1.1.1:80')] }),
    'of the server, nothing said': { act: get('/', { port: 'PORT_2' }), normalize: [PORTS] },
    'of the server, another one of the net': {
      act: get('/', { port: 'PORT_2', from: '127.0.0.9', headers: [forwarded('2.2.2.2')] }),
      normalize: [PORTS],
    },
    'the bytes of the address': get('/bytes', { port: 'PORT_2', headers: [forwarded('1.1.1.1')] }),
    'the bytes of an IPv6 address': get('/bytes', { port: 'PORT_2', headers: [forwarded('2001:db8::1')] }),
    'the port of the proxy': {
      act: get('/realip-port', { port: 'PORT_2', headers: [forwarded('1.1.1.1:80')] }),
      normalize: [PORTS],
    },
    'the server’s and another header in the location': get('/own', {
      port: 'PORT_2',
      headers: [forwarded('1.1.1.1'), 'X-Own: 2.2.2.2'],
    }),
    'the server’s says nothing, the location’s does': get('/own', { port: 'PORT_2', headers: ['X-Own: 2.2.2.2'] }),
    'deny in a location of that server': get('/deny', { port: 'PORT_2', headers: [forwarded('2.2.2.2')] }),
    'deny all': get('/missing', { port: 'PORT_2', headers: [forwarded('2.2.2.2')] }),
    'a malformed request has not been looked at': on(
      [`GET / HTTP/1.1\r\nHost: a b\r\n${forwarded('2.2.2.2')}\r\n\r\n`],
      {
        port: 'PORT_2',
      },
    ),
  }),
});
