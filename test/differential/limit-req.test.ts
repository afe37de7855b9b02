import { setTimeout as sleep } from 'node:timers/promises';
import { reply, replyAndClose } from '../support/scripted-backend.ts';
import { get, HALF_CLOSE, HANG_UP, inSuccession, on, pipelined, post, request, STAY, times } from './client-script.ts';
import { compare } from './compare.ts';

/** The same request `count` times on one connection, each behind the answer to the one before. */
function repeated(count: number, target: string, headers: readonly string[] = []) {
  return inSuccession(...Array.from({ length: count }, () => request(target, { keep: true, headers })));
}

const OK = replyAndClose('ok');

compare('limit_req', {
  backends: { A: OK },
  http: `
    limit_req_zone $arg_k zone=slow:32k rate=1r/m;
    limit_req_zone $arg_j zone=other:32k rate=1r/m;
    limit_req_zone $arg_k zone=fast:32k rate=2r/s;
    limit_req_zone $binary_remote_addr zone=client:32k rate=1r/m;
    limit_req_zone "$arg_k $http_x_k" zone=text:32k rate=1r/m;
    limit_req_zone constant zone=constant:32k rate=1r/m;
    limit_req_zone $arg_k zone=plain:32k rate=1;
    log_format limits '$remote_addr "$request" $status [$limit_req_status]';
    access_log access.log limits;
    server {
      listen 127.0.0.1:%%PORT%%;
      add_header X-Limit "[$limit_req_status]" always;
      proxy_pass_header Server;
      location / { proxy_pass http://%%A%%; }
      location /slow { limit_req zone=slow; proxy_pass http://%%A%%; }
      location /burst { limit_req zone=slow burst=2 nodelay; proxy_pass http://%%A%%; }
      location /wait { limit_req zone=fast burst=3; proxy_pass http://%%A%%; }
      location /delay { limit_req zone=fast burst=4 delay=2; proxy_pass http://%%A%%; }
      location /client { limit_req zone=client; proxy_pass http://%%A%%; }
      location /text { limit_req zone=text; proxy_pass http://%%A%%; }
      location /constant { limit_req zone=constant; proxy_pass http://%%A%%; }
      location /plain { limit_req zone=plain; proxy_pass http://%%A%%; }
      location /two { limit_req zone=slow; limit_req zone=other burst=2 nodelay; proxy_pass http://%%A%%; }
      location /two-reversed { limit_req zone=other burst=2 nodelay; limit_req zone=slow; proxy_pass http://%%A%%; }
      location /both-wait { limit_req zone=fast burst=5; limit_req zone=slow burst=5 nodelay; proxy_pass http://%%A%%; }
      location /status { limit_req zone=slow; limit_req_status 429; proxy_pass http://%%A%%; }
      location /odd-status { limit_req zone=slow; limit_req_status 444; proxy_pass http://%%A%%; }
      location /unknown-status { limit_req zone=slow; limit_req_status 599; proxy_pass http://%%A%%; }
      location /dry { limit_req zone=slow; limit_req_dry_run on; proxy_pass http://%%A%%; }
      location /dry-wait { limit_req zone=fast burst=5; limit_req_dry_run on; proxy_pass http://%%A%%; }
      location /denied { limit_req zone=slow; deny all; proxy_pass http://%%A%%; }
      location /returned { limit_req zone=slow; return 200 "rewriting comes before"; }
      location /warn { limit_req zone=slow; limit_req_log_level warn; proxy_pass http://%%A%%; }
      location /info { limit_req zone=slow; limit_req_log_level info; proxy_pass http://%%A%%; }
      location /notice-wait { limit_req zone=fast burst=5; limit_req_log_level notice; proxy_pass http://%%A%%; }
      location /info-wait { limit_req zone=fast burst=5; limit_req_log_level info; proxy_pass http://%%A%%; }
      location /missing { limit_req zone=slow; }
    }
    server {
      listen 127.0.0.1:%%PORT_2%%;
      limit_req zone=slow burst=1 nodelay;
      limit_req_status 420;
      location / { proxy_pass http://%%A%%; }
      location /own { limit_req zone=other; proxy_pass http://%%A%%; }
      location /nested { location /nested/in { proxy_pass http://%%A%%; } }
    }`,
  cases: {
    'not limited': get('/?k=none'),
    'the second is too many': repeated(2, '/slow?k=1'),
    'over several connections': times(3, get('/slow?k=2')),
    'keys do not know of each other': [get('/slow?k=3'), get('/slow?k=4'), get('/slow?k=3')],
    'an empty key is not limited': repeated(3, '/slow'),
    'a key that is there and empty': repeated(3, '/slow?k='),
    'locations share a zone': [get('/slow?k=5'), get('/burst?k=5'), get('/slow?k=5')],
    'a burst at once': repeated(5, '/burst?k=6'),
    pipelined: pipelined(...Array.from({ length: 4 }, () => request('/burst?k=7', { keep: true }))),
    'a burst that waits': repeated(3, '/wait?k=8'),
    'more than the burst': async (stage) => {
      const playing: Promise<unknown>[] = [];
      for (let i = 0; i < 5; i++) {
        playing.push(stage.play(get('/wait?k=9')));
        await sleep(30); // so that they come in this order, and end so
      }
      await Promise.all(playing);
    },
    'a burst that waits in part': repeated(4, '/delay?k=10'),
    'by client address': [get('/client'), get('/client'), get('/client', { from: '127.0.0.2' })],
    'by a text of variables': [
      get('/text?k=a', { headers: ['X-K: b'] }),
      get('/text?k=a', { headers: ['X-K: c'] }),
      get('/text?k=a', { headers: ['X-K: b'] }),
    ],
    'by a constant': repeated(2, '/constant'),
    'a rate without a unit': repeated(2, '/plain?k=11'),
    'two limits: the first refuses': repeated(3, '/two?k=12&j=12'),
    'two limits: the second refuses': [
      ...times(3, get('/burst?j=13')),
      ...['a', 'b', 'c', 'd'].map((k) => get(`/two?k=13${k}&j=13`)),
    ],
    'two limits: what one refuses the other does not count': [
      ...['a', 'b', 'c', 'd'].map((k) => get(`/two?k=14${k}&j=14`)),
      get('/slow?k=14d'),
    ],
    'two limits in the other order': repeated(4, '/two-reversed?k=15&j=15'),
    'two limits, one without a key': repeated(2, '/two?k=16'),
    'two limits, the other without a key': repeated(4, '/two?j=17'),
    'two limits that let wait': repeated(3, '/both-wait?k=18'),
    'another status': repeated(2, '/status?k=19'),
    'a status that says nothing': repeated(2, '/odd-status?k=20'),
    'a status without a page': repeated(2, '/unknown-status?k=21'),
    'dry run': repeated(3, '/dry?k=22'),
    'dry run of a delay': repeated(3, '/dry-wait?k=23'),
    'before allow and deny': repeated(2, '/denied?k=24'),
    'behind return': repeated(3, '/returned?k=25'),
    'level warn': repeated(2, '/warn?k=26'),
    'level info': repeated(2, '/info?k=27'),
    'level notice, a delay': repeated(2, '/notice-wait?k=28'),
    'level info, a delay': repeated(2, '/info-wait?k=29'),
    'a file that is not there': repeated(2, '/missing?k=30'),
    HEAD: [get('/slow?k=31', { method: 'HEAD' }), get('/slow?k=31', { method: 'HEAD' })],
    'a POST with its body': [post('/slow?k=32', 'abc'), post('/slow?k=32', 'abc')],
    'a POST that is refused, the connection lives on': inSuccession(
      request('/slow?k=33', { method: 'POST', body: 'one', keep: true }),
      request('/slow?k=33', { method: 'POST', body: 'two', keep: true }),
      request('/?k=33', { keep: true }),
    ),
    'a POST that waits': inSuccession(
      request('/wait?k=34', { method: 'POST', body: 'one', keep: true }),
      request('/wait?k=34', { method: 'POST', body: 'two', keep: true }),
    ),
    'a key of strange bytes': [get('/slow?k=%00%ff\xfe'), get('/slow?k=%00%ff\xfe'), get('/slow?k=%00%ff')],
    'a long key': [
      get(`/slow?k=${'x'.repeat(3000)}`),
      get(`/slow?k=${'x'.repeat(3000)}`),
      get(`/slow?k=${'x'.repeat(2999)}`),
    ],
    'the client leaves while it waits': [
      get('/wait?k=35'),
      get('/wait?k=35'),
      on([request('/wait?k=35'), 20, HANG_UP]),
      on([150, request('/?after', { keep: true }), { responses: 1 }, STAY]),
    ],
    'the client ends its side while it waits': [
      get('/wait?k=36'),
      get('/wait?k=36'),
      on([request('/wait?k=36'), 20, HALF_CLOSE]),
    ],
    'of the server': [...times(3, get('/?k=37', { port: 'PORT_2' }))],
    'of the server, in a location without own ones': times(3, get('/nested/in?k=38', { port: 'PORT_2' })),
    'own ones replace those of the server': [
      get('/own?k=39&j=39', { port: 'PORT_2' }),
      get('/own?k=39&j=40', { port: 'PORT_2' }),
      get('/own?k=39&j=41', { port: 'PORT_2' }),
      get('/own?k=39&j=41', { port: 'PORT_2' }),
    ],
    'no location fits': times(3, get('/nested/?k=42', { port: 'PORT_2' })),
  },
});

compare('limit_req of a full zone', {
  http: `
    limit_req_zone $arg_k zone=z:32k rate=1r/m;
    limit_req_zone $arg_l zone=a-name-that-is-longer:40000 rate=1r/m;
    server {
      listen 127.0.0.1:%%PORT%%;
      keepalive_requests 100000;
      location / { limit_req zone=z; limit_req zone=a-name-that-is-longer; proxy_pass http://127.0.0.1:%%PORT_2%%; }
    }
    server { listen 127.0.0.1:%%PORT_2%%; access_log off; return 204; }`,
  errorLevel: 'error',
  cases: {
    // 191 states of up to 48 bytes of key fit into 32k.
    'the least recently used go': { act: inSuccession(...fillAndLook('k', 191)), isBrief: true },
    'of other sizes': { act: inSuccession(...fillAndLook('l', 255)), isBrief: true },
    'keys of several sizes': {
      act: inSuccession(
        ...Array.from({ length: 260 }, (_, i) => quick(`/?k=${'m'.repeat((i % 5) * 40)}${i}`)),
        ...[259, 258, 200, 1, 0].map((i) => quick(`/?k=${'m'.repeat((i % 5) * 40)}${i}`)),
      ),
      isBrief: true,
      without: {
        client: 'which states share a page decides what is thrown out: not told by the slab’s numbers alone',
        'access log': 'likewise',
        'error log': 'likewise',
      },
    },
  },
});

function quick(target: string): string {
  return request(target, { keep: true });
}

/** Fills a zone of so many states; looks at the oldest, adds one, and looks at who had to go. */
function fillAndLook(name: string, states: number): string[] {
  const key = (i: number | string) => quick(`/?${name}=key${String(i).padStart(5, '-')}`);
  return [
    ...Array.from({ length: states }, (_, i) => key(i)),
    key(0),
    key(1),
    key('new'),
    key(2),
    key(3),
    key(0),
    key('new'),
    key(4),
    key(5),
  ];
}

compare('limit_req and internal redirects', {
  backends: { A: () => reply('', '200 OK', { 'X-Accel-Redirect': '/in' }), B: OK },
  http: `
    limit_req_zone $arg_k zone=one:32k rate=1r/m;
    limit_req_zone $arg_j zone=two:32k rate=1r/m;
    server {
      listen 127.0.0.1:%%PORT%%;
      location /limited { limit_req zone=one; proxy_pass http://%%A%%; }
      location /free { proxy_pass http://%%A%%; }
      location /in { internal; limit_req zone=two; proxy_pass http://%%B%%; }
    }`,
  cases: {
    'only the first limit counts': repeated(3, '/limited?k=1&j=1'),
    'a limit of the second location': repeated(3, '/free?k=2&j=2'),
    'an empty key leaves it to the second': repeated(3, '/limited?j=3'),
  },
});
