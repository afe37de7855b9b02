import type { Script } from '../support/scripted-backend.ts';
import { reply, replyAndClose } from '../support/scripted-backend.ts';
import { type Connection, get, HANG_UP, inSuccession, on, request, STAY } from './client-script.ts';
import { compare } from './compare.ts';
import type { Stage } from './stage.ts';

/** Answers after a while. */
const SLOW: Script = () => [400, reply('slow')];

/** One after the other, 40 ms apart, all open at the same time; shown in the order in which they were made. */
function together(...connections: readonly Connection[]) {
  return async (stage: Stage): Promise<void> => {
    const playing: Promise<unknown>[] = [];
    for (const connection of connections) {
      playing.push(stage.play(connection));
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    await Promise.all(playing);
  };
}

const two = (connection: Connection): Connection[] => [connection, connection];
const three = (connection: Connection): Connection[] => [connection, connection, connection];

compare('limit_conn', {
  backends: { A: SLOW, B: replyAndClose('ok') },
  http: `
    limit_conn_zone $arg_k zone=k:32k;
    limit_conn_zone $arg_j zone=j:32k;
    limit_conn_zone $server_name zone=server:32k;
    limit_conn_zone $binary_remote_addr zone=client:32k;
    log_format limits '$remote_addr "$request" $status [$limit_conn_status]';
    access_log access.log limits;
    server {
      listen 127.0.0.1:%%PORT%%;
      server_name name;
      location / { proxy_pass http://%%B%%; }
      location /one { limit_conn k 1; proxy_pass http://%%A%%; }
      location /two { limit_conn k 2; proxy_pass http://%%A%%; }
      location /both { limit_conn k 2; limit_conn j 1; proxy_pass http://%%A%%; }
      location /client { limit_conn client 1; proxy_pass http://%%A%%; }
      location /server { limit_conn server 1; proxy_pass http://%%A%%; }
      location /status { limit_conn k 1; limit_conn_status 429; proxy_pass http://%%A%%; }
      location /dry { limit_conn k 1; limit_conn_dry_run on; proxy_pass http://%%A%%; }
      location /warn { limit_conn k 1; limit_conn_log_level warn; proxy_pass http://%%A%%; }
      location /info { limit_conn k 1; limit_conn_log_level info; proxy_pass http://%%A%%; }
      location /denied { limit_conn k 1; deny all; proxy_pass http://%%A%%; }
      location /returned { limit_conn k 1; return 200 "first"; }
    }
    server {
      listen 127.0.0.1:%%PORT_2%%;
      limit_conn k 1;
      location / { proxy_pass http://%%A%%; }
      location /own { limit_conn j 1; proxy_pass http://%%A%%; }
    }`,
  cases: {
    'the second is too many': together(...two(get('/one?k=1'))),
    'one after the other': [get('/one?k=2'), get('/one?k=2')],
    'one after the other on one connection': inSuccession(
      ...Array.from({ length: 2 }, () => request('/one?k=3', { keep: true })),
    ),
    'two may, the third may not': together(...three(get('/two?k=4'))),
    'keys do not know of each other': together(get('/one?k=5'), get('/one?k=6'), get('/one?k=5')),
    'an empty key is not limited': together(...three(get('/one'))),
    'locations share a zone': together(get('/two?k=7'), get('/one?k=7'), get('/two?k=7'), get('/two?k=7')),
    'an idle connection does not count': together(
      on([request('/one?k=8', { keep: true }), { responses: 1 }, 300, STAY]),
      on([460, request('/one?k=8'), { responses: 1 }]),
    ),
    'a client that went away does not count': together(
      on([request('/one?k=9'), 60, HANG_UP]),
      on([200, request('/one?k=9'), { responses: 1 }]),
    ),
    'two limits: the first refuses': together(...three(get('/both?k=10'))),
    'two limits: the second refuses, and the first does not count it': together(
      get('/both?k=11&j=11'),
      get('/both?k=11&j=11'),
      get('/two?k=11'),
      get('/two?k=11'),
    ),
    'by client address': together(get('/client'), get('/client'), get('/client', { from: '127.0.0.2' })),
    'by server': together(get('/server'), get('/server', { from: '127.0.0.2' })),
    'another status': together(...two(get('/status?k=12'))),
    'dry run': together(...three(get('/dry?k=13'))),
    'level warn': together(...two(get('/warn?k=14'))),
    'level info': together(...two(get('/info?k=15'))),
    'before allow and deny': together(get('/one?k=16'), get('/denied?k=16')),
    'denied does not keep its place': [get('/denied?k=17'), get('/denied?k=17')],
    'behind return': together(get('/one?k=18'), get('/returned?k=18')),
    'a refused POST': together(get('/one?k=19'), get('/one?k=19', { method: 'POST', body: 'abc' })),
    'of the server': together(...two(get('/?k=20', { port: 'PORT_2' }))),
    'own ones replace those of the server': together(
      get('/own?k=21&j=21', { port: 'PORT_2' }),
      get('/own?k=21&j=22', { port: 'PORT_2' }),
      get('/own?k=21&j=22', { port: 'PORT_2' }),
    ),
    'a key of 255 bytes': together(...two(get(`/one?k=${'x'.repeat(255)}`))),
    'a key that is too long is not limited': together(...two(get(`/one?k=${'x'.repeat(256)}`))),
    'a key of strange bytes': together(...two(get('/one?k=%00\xff'))),
  },
});

compare('limit_req and limit_conn together', {
  backends: { A: SLOW },
  http: `
    limit_conn_zone $arg_k zone=conn:32k;
    limit_req_zone $arg_k zone=req:32k rate=1r/m;
    log_format limits '"$request" $status [$limit_req_status] [$limit_conn_status]';
    access_log access.log limits;
    server {
      listen 127.0.0.1:%%PORT%%;
      location / { limit_conn conn 1; limit_req zone=req burst=1 nodelay; proxy_pass http://%%A%%; }
    }`,
  cases: {
    'requests are looked at first': together(...three(get('/?k=1'))),
    'none of both': get('/'),
  },
});
