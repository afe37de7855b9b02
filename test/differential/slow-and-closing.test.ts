import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { poll } from '../support/deadline.ts';
import { RawClient } from '../support/raw-client.ts';
import { HANG, replyAndClose } from '../support/scripted-backend.ts';
import { get, head, on, request, STAY } from './client-script.ts';
import { type Case, type CaseOptions, compare } from './compare.ts';
import type { Stage } from './stage.ts';

/** Each of these on a connection of its own, all at once, and how long each takes until the server closes. */
function lastingAtOnce(targets: Readonly<Record<string, string>>): CaseOptions {
  return {
    act: async (stage) => {
      const entries = Object.entries(targets);
      // One request after the other, so that the backends see them in this order.
      const clients: RawClient[] = [];
      let asked = 0;
      await untilNextSecond();
      const startedAtMs = performance.now();
      for (const [, target] of entries) {
        const client = await stage.connect();
        client.send(request(target));
        clients.push(client);
        if (target !== '/own') await untilAsked(stage, ++asked);
      }
      const notes = await Promise.all(
        entries.map(async ([name], i) => {
          await clients[i]?.untilClosed(10_000);
          return `${name}: took ${wholeSeconds(performance.now() - startedAtMs)}`;
        }),
      );
      for (const note of notes) stage.note(note);
    },
    normalize: [{ from: /(invalid size "" .*), upstream: "[^"]*"/g, to: '$1' }],
  };
}

/** nginx counts seconds of the clock, so everything begins with one. */
function wholeSeconds(ms: number): string {
  return `${Math.floor(ms / 1000 + 0.1)} s`;
}

/** The backends have had so many requests. */
async function untilAsked(stage: Stage, count: number): Promise<void> {
  const asked = () => [...stage.backends.values()].reduce((sum, one) => sum + one.requests.length, 0);
  await poll(() => (asked() >= count ? true : undefined), 1000, 1);
}

/** A client whose bytes are not in the transcript: what these cases see is in notes. */
function unseen(stage: Stage, port = 'PORT'): Promise<RawClient> {
  return RawClient.connect({ port: Number(stage.values[port]) });
}

async function untilNextSecond(): Promise<void> {
  await sleep(1020 - (Date.now() % 1000));
}

compare('rates', {
  isTogether: true,
  backends: {
    A: (got) =>
      got.target === '/accel'
        ? replyAndClose('x'.repeat(3500), '200 OK', { 'X-Accel-Limit-Rate': '1500' })
        : replyAndClose('x'.repeat(3500)),
    BIG: replyAndClose('x'.repeat(330_000)),
  },
  http: `
    server {
      listen 127.0.0.1:%%PORT%%;
      location / { access_log root.log seen; proxy_pass http://%%A%%; }
      location /rate { access_log rate.log seen; limit_rate 1500; proxy_pass http://%%A%%; }
      location /rate/unbuffered { access_log rate-unbuffered.log seen; limit_rate 1500; proxy_buffering off; proxy_pass http://%%A%%; }
      location /after { access_log after.log seen; limit_rate 1000; limit_rate_after 1000; proxy_pass http://%%A%%; }
      location /variable { access_log variable.log seen; limit_rate $arg_rate; proxy_pass http://%%A%%; }
      location /own { access_log own.log seen; limit_rate 1500; return 200 "${'y'.repeat(3500)}"; }
      location /outer { access_log outer.log seen; limit_rate 1500; location /outer/in { access_log outer-in.log seen; proxy_pass http://%%A%%; } location /outer/off { access_log outer-off.log seen; limit_rate 0; proxy_pass http://%%A%%; } }
      location /ignored { access_log ignored.log seen; proxy_ignore_headers X-Accel-Limit-Rate; proxy_pass http://%%A%%/accel; }
      location /read { access_log read.log seen; proxy_limit_rate 200k; proxy_pass http://%%BIG%%; }
    }`,
  cases: {
    'limit_rate, limit_rate_after, X-Accel-Limit-Rate': lastingAtOnce({
      none: '/',
      limit_rate: '/rate',
      'limit_rate, unbuffered': '/rate/unbuffered',
      'limit_rate 0 within': '/outer/off',
      'limit_rate inherited': '/outer/in',
      limit_rate_after: '/after',
      'limit_rate with a variable': '/variable?rate=1500',
      'limit_rate with an empty variable': '/variable',
      'limit_rate of what return says': '/own',
      'X-Accel-Limit-Rate': '/accel',
      'X-Accel-Limit-Rate ignored': '/ignored',
    }),
    // nginx waits after each read, evenkeel when a second's bytes have come: the same in the long run only. Without a limit it takes no second.
    proxy_limit_rate: {
      ...lastingAtOnce({ 'it took': '/read' }),
      normalize: [{ from: /took [1-9] s/g, to: 'took a second or more' }],
    },
  },
});

/** What a client does once it has its answer; what it finds out. */
type Afterwards = (stage: Stage) => Promise<string>;

/** It goes on sending its body, a byte every `everyMs`, until it is reset. */
function sendingOn(target: string, everyMs: number): Afterwards {
  return async (stage) => {
    const { client, isGone, status } = await answered(stage, target, 'POST');
    const startedAtMs = performance.now();
    while (!isGone() && performance.now() < startedAtMs + 2500) {
      await sleep(everyMs);
      if (!isGone()) client.send('x');
    }
    const afterMs = performance.now() - startedAtMs;
    const isAtOnce = afterMs < everyMs * 2 + 200;
    client.close();
    return `${status}, who goes on sending is ${!isGone() ? 'not reset' : isAtOnce ? 'reset at once' : 'reset after a while'}`;
  };
}

/** It says nothing for so long, then sends a byte: is anybody there? */
function askingAgain(target: string, afterMs: number, method = 'POST'): Afterwards {
  return async (stage) => {
    const { client, isGone, status } = await answered(stage, target, method);
    await sleep(afterMs);
    client.send('x');
    await sleep(60);
    client.send('x');
    await sleep(60);
    client.close();
    return `${status}, ${isGone() ? 'nobody is there' : 'somebody still reads'}`;
  };
}

/** All of them at once, from the beginning of a second on: nginx counts those of the clock. */
function atOnce(deeds: Readonly<Record<string, Afterwards>>): Case {
  return async (stage) => {
    await untilNextSecond();
    const found = Object.entries(deeds).map(async ([name, deed]) => `${name}: ${await deed(stage)}`);
    for (const note of await Promise.all(found)) stage.note(note);
  };
}

async function answered(
  stage: Stage,
  target: string,
  method: string,
): Promise<{ client: RawClient; status: string; isGone(): boolean }> {
  const socket = await unseen(stage);
  let isGone = false;
  socket.socket.on('error', () => {
    isGone = true;
  });
  const length = method === 'POST' ? ['Content-Length: 100000'] : [];
  socket.send(head(`${method} ${target} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...length));
  await socket.untilResponses(1);
  return { client: socket, status: `${socket.responses()[0]?.startLine}`, isGone: () => isGone };
}

compare('lingering', {
  isTogether: true,
  http: `
    client_max_body_size 1k;
    server {
      listen 127.0.0.1:%%PORT%%;
      location / { access_log root.log seen; return 200 "x"; }
      location /get { access_log get.log seen; return 200 "x"; }
      location /off { access_log off.log seen; lingering_close off; return 200 "x"; }
      location /always { access_log always.log seen; lingering_close always; return 200 "x"; }
      location /time { access_log time.log seen; lingering_time 1s; lingering_timeout 800ms; return 200 "x"; }
      location /steady { access_log steady.log seen; lingering_timeout 700ms; return 200 "x"; }
      location /timeout { access_log timeout.log seen; lingering_timeout 250ms; return 200 "x"; }
      location /always/timeout { access_log always-timeout.log seen; lingering_close always; lingering_timeout 250ms; return 200 "x"; }
    }`,
  cases: {
    'closes when the body is there': {
      act: on([
        head('POST / HTTP/1.1', 'Host: localhost', 'Connection: close', 'Content-Length: 100000'),
        { responses: 1 },
        STAY,
      ]),
      differs: { because: 'lingering', evenkeel: { client: /\n\[closed\]$/ } },
    },
    'who is still heard afterwards': atOnce({
      'on: for a while': sendingOn('/', 200),
      'off: not at all': sendingOn('/off', 200),
      'lingering_time ends it': sendingOn('/time', 200),
      'lingering_timeout does not while bytes come': sendingOn('/steady', 250),
      'lingering_timeout ends it when none come': sendingOn('/timeout', 500),
      'on, unread bytes': askingAgain('/', 400),
      'on, nothing unread': askingAgain('/get', 100, 'GET'),
      'off, unread bytes': askingAgain('/off', 100),
      'always, nothing unread': askingAgain('/always', 400, 'GET'),
      'always, until lingering_timeout': askingAgain('/always/timeout', 500, 'GET'),
      'always, before lingering_timeout': askingAgain('/always/timeout', 100, 'GET'),
      'unread bytes, until lingering_timeout': askingAgain('/timeout', 500),
    }),
  },
});

/** Sends, reads nothing for a while if it is to, and notes whether the connection was closed or reset. */
function ending(bytes: string, port = 'PORT', unreadMs = 0): Case {
  return async (stage) => {
    const client = await unseen(stage, port);
    if (unreadMs > 0) client.socket.pause();
    client.send(stage.fill(bytes));
    await sleep(unreadMs);
    client.socket.resume();
    stage.note(`the connection is ${await client.untilClosed(3000)}`);
    client.close();
  };
}

compare('connections that time out', {
  isTogether: true,
  backends: { HUGE: replyAndClose('x'.repeat(20_000_000)) },
  http: `
    client_header_timeout 250ms;
    send_timeout 300ms;
    proxy_max_temp_file_size 0;
    server {
      listen 127.0.0.1:%%PORT%%;
      location / { proxy_pass http://%%HUGE%%; }
      location /444 { return 444; }
    }
    server {
      listen 127.0.0.1:%%PORT_2%%;
      reset_timedout_connection on;
      location / { proxy_pass http://%%HUGE%%; }
      location /444 { return 444; }
    }`,
  cases: {
    'within a head': ending('GET / HT'),
    'within a head, reset_timedout_connection': ending('GET / HT', 'PORT_2'),
    444: ending(request('/444')),
    '444, reset_timedout_connection': ending(request('/444'), 'PORT_2'),
    send_timeout: ending(request('/'), 'PORT', 1200),
    'send_timeout, reset_timedout_connection': ending(request('/'), 'PORT_2', 1200),
  },
});

/** Timer of the connections to a port as the kernel has it: `02` = keep-alive. */
function keepAliveTimers(port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[2] === `0100007F:${hex}` && fields[3] === '01')
    .map((fields) => (fields[5]?.startsWith('02:') ? 'keep-alive' : 'none'));
}

function lookingAtSocket(target: string): Case {
  return async (stage) => {
    const client = await unseen(stage);
    client.send(request(target));
    await stage.backends.get('SILENT')?.untilRequests(1);
    stage.note(`timers: ${keepAliveTimers(stage.backends.get('SILENT')?.port ?? 0)}`);
    client.close();
    await sleep(50);
  };
}

compare('sockets to peers', {
  isTogether: true,
  backends: { SILENT: [HANG] },
  errorLevel: 'error',
  http: `
    server {
      listen 127.0.0.1:%%PORT%%;
      location / { proxy_pass http://%%SILENT%%; }
      location /alive { proxy_socket_keepalive on; proxy_pass http://%%SILENT%%; }
      location /bind/ {
        proxy_bind 127.0.0.9;
        location /bind/in { proxy_pass http://127.0.0.1:%%PORT_2%%; }
        location /bind/off { proxy_bind off; proxy_pass http://127.0.0.1:%%PORT_2%%; }
        location /bind/variable { proxy_bind $arg_from; proxy_pass http://127.0.0.1:%%PORT_2%%; }
        location /bind/client { proxy_bind $remote_addr; proxy_pass http://127.0.0.1:%%PORT_2%%; }
        location /bind/port { proxy_bind $remote_addr:0; proxy_pass http://127.0.0.1:%%PORT_2%%; }
      }
    }
    server { listen 127.0.0.1:%%PORT_2%%; access_log off; return 200 "from $remote_addr"; }`,
  cases: {
    'no keep-alive': lookingAtSocket('/'),
    proxy_socket_keepalive: lookingAtSocket('/alive'),
    proxy_bind: get('/bind/in'),
    'proxy_bind off': get('/bind/off'),
    'proxy_bind with a variable': get('/bind/variable?from=127.0.0.12'),
    'proxy_bind with an empty variable': get('/bind/variable'),
    'proxy_bind with a variable that is no address': get('/bind/variable?from=nonsense'),
    'proxy_bind to the client’s address': get('/bind/client', { from: '127.0.0.77' }),
    'proxy_bind with an address and a port': get('/bind/port', { from: '127.0.0.78' }),
    'proxy_bind to an address that is not ours': get('/bind/variable?from=192.0.2.1'),
  },
});

/** Names of the files below a directory, and how many bytes each has. */
function filesBelow(stage: Stage, directory: string): string {
  const all = readdirSync(join(stage.proxy.prefix, directory), { recursive: true, withFileTypes: true });
  return all
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return `${path.slice(stage.proxy.prefix.length)}: ${readFileSync(path).length} bytes`;
    })
    .join(', ');
}

/** A file's number depends on what was before; its directories are the number's last digits. */
const shapes = [
  { from: /\/(\d)\/(\d\d)\/\d{7}\2\1\b/g, to: '/<1 digit>/<2 digits>/<file>' },
  { from: /\/(\d\d)\/\d{8}\1\b/g, to: '/<2 digits>/<file>' },
];

compare('temporary files', {
  isTogether: true,
  backends: {
    A: (got) =>
      replyAndClose(
        `${got.body.length} bytes, file ${got.headers.find(([name]) => name === 'X-File')?.[1] ? 'named' : 'none'}`,
      ),
    BIG: replyAndClose('x'.repeat(12_000_000)),
  },
  errorLevel: 'warn',
  http: `
    server {
      listen 127.0.0.1:%%PORT%%;
      client_body_temp_path body 1 2;
      proxy_temp_path response 2;
      client_body_buffer_size 1k;
      proxy_set_header X-File $request_body_file;
      proxy_set_header Connection "";
      location / { proxy_pass http://%%A%%; }
      location /clean { client_body_in_file_only clean; proxy_pass http://%%A%%; }
      location /kept { client_body_in_file_only on; proxy_pass http://%%A%%; }
      location /single { client_body_in_single_buffer on; client_body_buffer_size 16k; proxy_pass http://%%A%%; }
      location /big { proxy_pass http://%%BIG%%; }
      location /big/limited { proxy_max_temp_file_size 1m; proxy_temp_file_write_size 16k; proxy_pass http://%%BIG%%; }
      location /big/none { proxy_max_temp_file_size 0; proxy_pass http://%%BIG%%; }
    }`,
  cases: Object.fromEntries([
    ...['/', '/clean', '/kept', '/single'].flatMap((path) =>
      ['', 'small', 'x'.repeat(5000)].map((body) => [
        `body of ${body.length} bytes to ${path}`,
        {
          act: async (stage: Stage) => {
            await stage.play(get(path, { method: 'POST', body }));
            await sleep(30);
            stage.note(`left: ${filesBelow(stage, 'body')}`);
          },
          normalize: shapes,
        },
      ]),
    ),
    ...['/big', '/big/limited', '/big/none'].map((path) => [
      `a client that does not read, ${path}`,
      {
        act: async (stage: Stage) => {
          const client = await unseen(stage);
          client.socket.pause();
          client.send(request(path));
          await sleep(900);
          const log = stage.proxy.errorLog();
          stage.note(
            `a file was named: ${/buffered to a temporary file \S+\/response\/\d\d\/\d{10} /.test(log.slice(-400))}`,
          );
          client.socket.resume();
          await client.untilClosed(5000);
          stage.note(
            `${client.received.length > 12_000_000 ? 'all' : 'not all'} came, left: ${filesBelow(stage, 'response')}`,
          );
        },
        normalize: shapes,
      },
    ]),
  ]),
});
