import { replyAndClose } from '../support/scripted-backend.ts';
import { get, on, post, request } from './client-script.ts';
import { compare } from './compare.ts';

compare('allow and deny', {
  backends: { A: replyAndClose('let in') },
  http: `
    server {
      listen 127.0.0.1:%%PORT%%;
      listen unix:%%DIR%%/listen.sock;
      location / { proxy_pass http://%%A%%; }
      location /deny { deny all; proxy_pass http://%%A%%; }
      location /own { allow 127.0.0.2; deny all; proxy_pass http://%%A%%; }
      location /net { allow 127.0.1.0/24; deny 127.0.0.0/8; allow all; proxy_pass http://%%A%%; }
      location /odd { deny 127.0.0.77/26; proxy_pass http://%%A%%; }
      location /order { deny 127.0.0.5; allow 127.0.0.0/24; deny all; proxy_pass http://%%A%%; }
      location /v6 { deny ::1; allow 127.0.0.1; deny all; proxy_pass http://%%A%%; }
      location /outer/ {
        deny all;
        location /outer/open { allow all; proxy_pass http://%%A%%; }
        location /outer/inherits { proxy_pass http://%%A%%; }
      }
      location /returned { deny all; return 200 "return comes before access"; }
      location /unix { allow unix:; deny all; proxy_pass http://%%A%%; }
    }
    server {
      listen 127.0.0.1:%%PORT_2%%;
      deny 127.0.0.9;
      location / { proxy_pass http://%%A%%; }
    }`,
  cases: {
    'nothing said: let in': get('/'),
    'deny all': get('/deny'),
    'HEAD denied': get('/deny', { method: 'HEAD' }),
    'POST is refused all the same': post('/deny', 'abc'),
    'an address that is allowed': get('/own', { from: '127.0.0.2' }),
    'an address that is not allowed': get('/own'),
    'inside an allowed network': get('/net', { from: '127.0.1.200' }),
    'inside a denied network': get('/net'),
    'a network with host bits set: inside': get('/odd', { from: '127.0.0.65' }),
    'a network with host bits set: outside': get('/odd', { from: '127.0.0.128' }),
    'first match wins: denied': get('/order', { from: '127.0.0.5' }),
    'first match wins: allowed': get('/order', { from: '127.0.0.6' }),
    'first match wins: the last rule': get('/order', { from: '127.0.3.1' }),
    'IPv6 and IPv4 rules together': get('/v6'),
    inherited: get('/outer/inherits'),
    'replaced by own rules': get('/outer/open'),
    'return comes before access': get('/returned'),
    'unix: is not TCP': get('/unix'),
    'a client on a unix socket': on([request('/unix')], { path: '%%DIR%%/listen.sock' }),
    'a client on a unix socket and deny all': on([request('/deny')], { path: '%%DIR%%/listen.sock' }),
    'a client on a unix socket and address rules': on([request('/own')], { path: '%%DIR%%/listen.sock' }),
    'server level: denied': get('/', { from: '127.0.0.9', port: 'PORT_2' }),
    'server level: let in': get('/', { port: 'PORT_2' }),
  },
});
