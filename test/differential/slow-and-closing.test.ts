import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RawClient } from '../support/raw-client.ts';
import { HANG, replyAndClose } from '../support/scripted-backend.ts';
import { get, head, on, request, STAY } from './client-script.ts';
import { type Case, type CaseOptions, compare } from './compare.ts';
import type { Stage } from './stage.ts';

/** How long a response takes until the server closes, in whole seconds. nginx counts those of the clock, so it begins with one. */
function lasting(target: string): CaseOptions {
  return {
    act: async (stage) => {
      await untilNextSecond();
      const startedAtMs = performance.now();
      await stage.play(get(target));
      stage.note(`took ${Math.floor((performance.now() - startedAtMs) / 1000 + 0.1)} s`);
    },
    normalize: [{ from: /(invalid size "" .*), upstream: "[^"]*"/g, to: '$1' }],
  };
}

/** A client whose bytes are not in the transcript: what these cases see is in notes. */
function unseen(stage: Stage, port = 'PORT'): Promise<RawClient> {
  return RawClient.connect({ port: Number(stage.values[port]) });
}

async function untilNextSecond(): Promise<void> {
  await sleep(1020 - (Date.now() % 1000));
}

compare('rates', {
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
      location / { proxy_pass http://%%A%%; }
      location /rate { limit_rate 1500; proxy_pass http://%%A%%; }
      location /rate/unbuffered { limit_rate 1500; proxy_buffering off; proxy_pass http://%%A%%; }
      location /after { limit_rate 1000; limit_rate_after 1000; proxy_pass http://%%A%%; }
      location /variable { limit_rate $arg_rate; proxy_pass http://%%A%%; }
      location /own { limit_rate 1500; return 200 "${'y'.repeat(3500)}"; }
      location /outer { limit_rate 1500; location /outer/in { proxy_pass http://%%A%%; } location /outer/off { limit_rate 0; proxy_pass http://%%A%%; } }
      location /ignored { proxy_ignore_headers X-Accel-Limit-Rate; proxy_pass http://%%A%%/accel; }
      location /read { proxy_limit_rate 200k; proxy_pass http://%%BIG%%; }
    }`,
  cases: {
    none: lasting('/'),
    limit_rate: lasting('/rate'),
    'limit_rate, unbuffered': lasting('/rate/unbuffered'),
    'limit_rate 0 within': lasting('/outer/off'),
    'limit_rate inherited': lasting('/outer/in'),
    limit_rate_after: lasting('/after'),
    'limit_rate with a variable': lasting('/variable?rate=1500'),
    'limit_rate with an empty variable': lasting('/variable'),
    'limit_rate of what return says': lasting('/own'),
    'X-Accel-Limit-Rate': lasting('/accel'),
    'X-Accel-Limit-Rate ignored': lasting('/ignored'),
    // nginx waits after each read, evenkeel when a second's bytes have come: the same in the long run only. Without a limit it takes no second.
    proxy_limit_rate: { ...lasting('/read'), normalize: [{ from: /took [1-9] s/g, to: 'took a second or more' }] },
  },
});

/** The client has its answer and goes on sending its body, a byte every `everyMs`, until it is reset. */
function sendingOn(target: string, everyMs: number): Case {
  return async (stage) => {
    await untilNextSecond();
    const { client, isGone } = await answered(stage, target, 'POST');
    const startedAtMs = performance.now();
    while (!isGone() && performance.now() < startedAtMs + 2500) {
      await sleep(everyMs);
      if (!isGone()) client.send('x');
    }
    const afterMs = performance.now() - startedAtMs;
    const isAtOnce = afterMs < everyMs * 2 + 200;
    stage.note(
      `who goes on sending is ${!isGone() ? 'not reset' : isAtOnce ? 'reset at once' : 'reset after a while'}`,
    );
    client.close();
  };
}

/** The client has its answer, says nothing for so long, then sends a byte: is anybody there? */
function askingAgain(target: string, afterMs: number, method = 'POST'): Case {
  return async (stage) => {
    const { client, isGone } = await answered(stage, target, method);
    await sleep(afterMs);
    client.send('x');
    await sleep(60);
    client.send('x');
    await sleep(60);
    stage.note(isGone() ? 'nobody is there' : 'somebody still reads');
    client.close();
  };
}

async function answered(
  stage: Stage,
  target: string,
  method: string,
): Promise<{ client: RawClient; isGone(): boolean }> {
  const socket = await unseen(stage);
  let isGone = false;
  socket.socket.on('error', () => {
    isGone = true;
  });
  const length = method === 'POST' ? ['Content-Length: 100000'] : [];
  socket.send(head(`${method} ${target} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...length));
  await socket.untilResponses(1);
  // How it ends is for a note.
  stage.note(`${socket.responses()[0]?.startLine}`);
  return { client: socket, isGone: () => isGone };
}

compare('lingering', {
  http: `
    client_max_body_size 1k;
    server {
      listen 127.0.0.1:%%PORT%%;
      location / { return 200 "x"; }
      location /off { lingering_close off; return 200 "x"; }
      location /always { lingering_close always; return 200 "x"; }
      location /time { lingering_time 1s; lingering_timeout 800ms; return 200 "x"; }
      location /steady { lingering_timeout 700ms; return 200 "x"; }
      location /timeout { lingering_timeout 250ms; return 200 "x"; }
      location /always/timeout { lingering_close always; lingering_timeout 250ms; return 200 "x"; }
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
    'on: for a while': sendingOn('/', 200),
    'off: not at all': sendingOn('/off', 200),
    'lingering_time ends it': sendingOn('/time', 200),
    'lingering_timeout does not while bytes come': sendingOn('/steady', 250),
    'lingering_timeout ends it when none come': sendingOn('/timeout', 500),
    'on, unread bytes': askingAgain('/', 400),
    'on, nothing unread': askingAgain('/', 100, 'GET'),
    'off, unread bytes': askingAgain('/off', 100),
    'always, nothing unread': askingAgain('/always', 400, 'GET'),
    'always, until lingering_timeout': askingAgain('/always/timeout', 500, 'GET'),
    'always, before lingering_timeout': askingAgain('/always/timeout', 100, 'GET'),
    'unread bytes, until lingering_timeout': askingAgain('/timeout', 500),
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
