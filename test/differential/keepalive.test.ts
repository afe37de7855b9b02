import { reply, replyAndClose } from '../support/scripted-backend.ts';
import { get, HALF_CLOSE, head, inSuccession, on, pipelined, raw, request, STAY } from './client-script.ts';
import { compare } from './compare.ts';

const keep = (target: string, options = {}) => request(target, { keep: true, ...options });

compare('keep-alive of clients', {
  backends: { A: (got) => reply(`${got.method} ${got.target} ${got.body}`) },
  http: `
    log_format conn '$request $status $connection_requests';
    access_log access.log conn;
    server {
      listen 127.0.0.1:%%PORT%%;
      location / { proxy_pass http://%%A%%; }
      location /r { return 200 "$uri $connection_requests"; }
    }
    server { listen 127.0.0.1:%%PORT_2%%; keepalive_timeout 0; location / { return 200 "x"; } }
    server { listen 127.0.0.1:%%PORT_3%%; keepalive_requests 3;
      location / { return 200 "$connection_requests"; }
      location /longer { keepalive_requests 100; return 200 "$connection_requests"; }
    }
    server { listen 127.0.0.1:%%PORT_8%%; keepalive_requests 2; return 200 "$connection_requests"; }
    server { listen 127.0.0.1:%%PORT_4%%; keepalive_timeout 75 20; location / { return 200 "x"; } }
    server { listen 127.0.0.1:%%PORT_5%%; keepalive_disable safari; location / { return 200 "x"; } }
    server { listen 127.0.0.1:%%PORT_6%%; keepalive_timeout 300ms; location / { return 200 "x"; } }
    server { listen 127.0.0.1:%%PORT_7%%; keepalive_time 100ms; location / { return 200 "x"; } }
    `,
  cases: {
    'two requests': inSuccession(keep('/r/1'), keep('/r/2')),
    'two proxied requests': inSuccession(keep('/1'), keep('/2')),
    'Connection: close': inSuccession(keep('/r/1'), request('/r/2')),
    'Connection: Close in capitals': inSuccession(keep('/r/1', { headers: ['Connection: CLOSE'] })),
    'Connection: a list with close': inSuccession(keep('/r/1', { headers: ['Connection: foo, close'] })),
    'HTTP/1.0 closes': inSuccession(keep('/r/1', { version: '1.0' })),
    'HTTP/1.0 with keep-alive stays': inSuccession(
      keep('/r/1', { version: '1.0', headers: ['Connection: keep-alive'] }),
    ),
    'HTTP/1.0 with keep-alive, proxied': inSuccession(
      keep('/1', { version: '1.0', headers: ['Connection: keep-alive'] }),
    ),
    pipelined: pipelined(keep('/r/1'), keep('/r/2'), keep('/r/3')),
    'pipelined and proxied': pipelined(keep('/1'), keep('/2'), keep('/3')),
    'pipelined with bodies': pipelined(
      keep('/1', { method: 'POST', body: 'abc' }),
      keep('/2', { method: 'POST', body: 'def' }),
      keep('/3'),
    ),
    'pipelined with a body that nobody reads': pipelined(keep('/r/1', { method: 'POST', body: 'abc' }), keep('/r/2')),
    'pipelined behind a close': pipelined(request('/r/1'), keep('/r/2')),
    'pipelined behind a malformed one': pipelined(keep('/r/1'), 'NONSENSE\r\n\r\n', keep('/r/2')),
    'pipelined HEAD and GET': pipelined(keep('/r/1', { method: 'HEAD' }), keep('/r/2')),
    'empty lines between requests': inSuccession(keep('/r/1'), `\r\n\r\n${keep('/r/2')}`),
    'split in the middle of the head': on([
      keep('/r/1').slice(0, 9),
      20,
      keep('/r/1').slice(9),
      { responses: 1 },
      STAY,
    ]),
    'byte by byte': on([...[...request('/r/1')].flatMap((byte) => [byte, 1])]),
    'HEAD, proxied, keeps': inSuccession(keep('/1', { method: 'HEAD' }), keep('/2')),
    'half-close after the request': on([keep('/r/1'), HALF_CLOSE]),
    'keepalive_timeout 0': on([keep('/')], { port: 'PORT_2' }),
    keepalive_requests: on(
      [keep('/'), { responses: 1 }, keep('/'), { responses: 2 }, keep('/'), { responses: 3 }, STAY],
      { port: 'PORT_3' },
    ),
    'keepalive_requests and pipelining': on([keep('/').repeat(5), { responses: 3 }, STAY], { port: 'PORT_3' }),
    'keepalive_requests of a location, more than the server’s': on(
      [keep('/longer').repeat(5), { responses: 5 }, STAY],
      {
        port: 'PORT_3',
      },
    ),
    'keepalive_requests does not hold for what a server answers without a location': on(
      [keep('/').repeat(4), { responses: 4 }, STAY],
      { port: 'PORT_8' },
    ),
    'Keep-Alive header': on([keep('/'), { responses: 1 }, STAY], { port: 'PORT_4' }),
    'keepalive_disable safari': on(
      [
        keep('/', {
          headers: [
            'User-Agent: Mozilla/5.0 (Macintosh; Intel Mac OS X) AppleWebKit/5 (KHTML, like Gecko) Version/5 Safari/5',
          ],
        }),
        { responses: 1 },
        STAY,
      ],
      { port: 'PORT_5' },
    ),
    'MSIE 6 and POST': on([
      keep('/r/1', { method: 'POST', body: '', headers: ['User-Agent: Mozilla/4.0 (compatible; MSIE 5.5)'] }),
      { responses: 1 },
      STAY,
    ]),
    'keepalive_timeout passes': on([keep('/'), { responses: 1 }], { port: 'PORT_6' }),
    'keepalive_time passes': on([keep('/'), { responses: 1 }, 150, keep('/'), { responses: 2 }, STAY], {
      port: 'PORT_7',
    }),
  },
});

compare('HTTP/1.0 and HEAD through the proxy', {
  backends: {
    A: (got) => {
      if (got.target === '/chunked')
        return 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
      if (got.target === '/until-close') return ['HTTP/1.1 200 OK\r\n\r\n', 'abc'];
      if (got.method === 'HEAD') return 'HTTP/1.1 200 OK\r\nContent-Length: 12345\r\nConnection: close\r\n\r\n';
      return replyAndClose('abc');
    },
  },
  http: `
    server {
      listen 127.0.0.1:%%PORT%%;
      location / { proxy_pass http://%%A%%; }
    }`,
  cases: {
    'HTTP/1.0': raw(head('GET / HTTP/1.0')),
    'HTTP/1.0 with a chunked answer': raw(head('GET /chunked HTTP/1.0')),
    'HTTP/1.0 with keep-alive and a chunked answer': on([head('GET /chunked HTTP/1.0', 'Connection: keep-alive')]),
    'HTTP/1.0 with keep-alive and an answer until close': on([
      head('GET /until-close HTTP/1.0', 'Connection: keep-alive'),
    ]),
    'HTTP/1.0 with keep-alive and a length': on([
      head('GET / HTTP/1.0', 'Connection: keep-alive'),
      { responses: 1 },
      STAY,
    ]),
    'HTTP/1.1 and an answer until close': get('/until-close'),
    'HEAD passes the length on': get('/', { method: 'HEAD' }),
    'HTTP/0.9': raw('GET /\r\n'),
  },
});
