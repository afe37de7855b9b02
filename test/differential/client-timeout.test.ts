import { reply } from '../support/scripted-backend.ts';
import { head, on, request } from './client-script.ts';
import { compare } from './compare.ts';

const PROXY = 'proxy_pass http://%%A%%;';

compare('client timeouts', {
  backends: { A: (got) => reply(`got ${got.body}`) },
  http: `
    server {
      listen 127.0.0.1:%%PORT%%;
      client_header_timeout 250ms;
      client_body_timeout 250ms;
      location / { ${PROXY} }
      location /slow { client_body_timeout 600ms; ${PROXY} }
      location /unbuffered { proxy_request_buffering off; ${PROXY} }
    }
    server {
      listen 127.0.0.1:%%PORT_2%%;
      client_header_timeout 250ms;
      reset_timedout_connection on;
      location / { ${PROXY} }
    }`,
  cases: {
    'nothing is sent': on([]),
    'half a request line': on(['GET / HT']),
    'half a head': on(['GET / HTTP/1.1\r\nHost: localhost\r\n']),
    'the header timeout is for the whole head': on(['GET / HT', 150, 'TP/1.1\r\n', 150, 'Host: a\r\n', 150, '\r\n']),
    'half a body': on([head('POST / HTTP/1.1', 'Host: localhost', 'Content-Length: 10'), '12345']),
    'half a body, unbuffered': on([
      head('POST /unbuffered HTTP/1.1', 'Host: localhost', 'Content-Length: 10'),
      '12345',
    ]),
    'half a chunked body': on([head('POST / HTTP/1.1', 'Host: localhost', 'Transfer-Encoding: chunked'), '5\r\n12']),
    'the body timeout is between two reads': on([
      head('POST /slow HTTP/1.1', 'Host: localhost', 'Connection: close', 'Content-Length: 6'),
      ...['12', 400, '34', 400, '56'],
    ]),
    'the second request is slow': on([request('/', { keep: true }), { responses: 1 }, 'GET /se']),
    reset_timedout_connection: on(['GET / HT'], { port: 'PORT_2' }),
  },
});
