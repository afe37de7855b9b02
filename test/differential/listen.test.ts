import { replyAndClose } from '../support/scripted-backend.ts';
import { get, on, request } from './client-script.ts';
import { compare } from './compare.ts';

const ADDRESSES = 'remote=$remote_addr server=$server_addr port=$server_port host=$host binary=$binary_remote_addr';

compare('listen', {
  backends: { A: replyAndClose('A'), B: replyAndClose('B') },
  http: `
    upstream hashed { ip_hash; server %%A%%; server %%B%%; }
    server {
      listen 127.0.0.1:%%PORT%%;
      listen [::1]:%%PORT%%;
      listen unix:%%DIR%%/a.sock;
      server_name first;
      return 200 "first ${ADDRESSES}";
    }
    server {
      listen 127.0.0.1:%%PORT%% default_server;
      listen [::1]:%%PORT%%;
      server_name second;
      return 200 "second";
    }
    server {
      listen *:%%PORT_2%%;
      server_name wildcard;
      return 200 "wildcard ${ADDRESSES}";
    }
    server {
      listen 127.0.0.5:%%PORT_2%%;
      server_name own;
      return 200 "own address";
    }
    server {
      listen [::]:%%PORT_3%% ipv6only=off;
      location / { return 200 "dual ${ADDRESSES}"; }
      location /hashed { proxy_pass http://hashed; proxy_set_header Connection ""; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }
    }
    server {
      listen localhost:%%PORT_4%%;
      return 200 "by name";
    }
    server {
      listen 127.0.0.1:%%PORT_5%% backlog=5 reuseport;
      return 200 "reuseport";
    }
    server {
      listen %%PORT_6%%;
      return 200 "port alone";
    }`,
  cases: {
    'IPv4: the default server is the marked one': get('/', { host: 'unknown' }),
    'IPv4: by name': get('/', { host: 'first' }),
    'IPv6: the default server is the first one': on([request('/', { host: 'unknown' })], { address: '::1' }),
    'IPv6: by name': on([request('/', { host: 'second' })], { address: '::1' }),
    unix: on([request('/')], { path: '%%DIR%%/a.sock' }),
    'wildcard address': get('/', { port: 'PORT_2' }),
    'wildcard address, another local one': on([request('/')], { port: 'PORT_2', address: '127.0.0.6' }),
    'the exact address before the wildcard': on([request('/', { host: 'wildcard' })], {
      port: 'PORT_2',
      address: '127.0.0.5',
    }),
    'dual stack: an IPv4 client': get('/', { port: 'PORT_3' }),
    'dual stack: an IPv6 client': on([request('/')], { port: 'PORT_3', address: '::1' }),
    'ip_hash of an IPv6 client': on([request('/hashed')], { port: 'PORT_3', address: '::1' }),
    'ip_hash of a mapped IPv4 client': get('/hashed', { port: 'PORT_3', from: '127.0.7.7' }),
    'by a name that resolves': get('/', { port: 'PORT_4' }),
    'backlog and reuseport': get('/', { port: 'PORT_5' }),
    'port alone': on([request('/')], { port: 'PORT_6', address: '127.0.0.9' }),
  },
});
