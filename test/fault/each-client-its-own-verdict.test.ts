import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { untilLogged, workerPids } from '../process/ask.ts';
import { poll } from '../support/deadline.ts';
import { freePort } from '../support/free-port.ts';
import { headerOf, statusOf } from '../support/http-message.ts';
import { socketCount } from '../support/process-facts.ts';
import { RawClient } from '../support/raw-client.ts';
import { startProxy } from '../support/start-proxy.ts';

/**
 * Subrequests, their peers and their variables are used again and again: many clients at once, some of whom leave, and a server that is asked
 * for each and answers in every way there is. Nobody may get another's verdict, user or body, and every request has its copy.
 */

const CLIENTS = 30;
const EACH = 40;
const VERDICTS = ['yes', 'who', 'no', 'error', 'break', 'late'] as const;
type Verdict = (typeof VERDICTS)[number];
const EXPECTED: Readonly<Record<Verdict, number>> = { yes: 200, late: 200, who: 401, no: 403, error: 500, break: 500 };

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Answers as the request's own field says, and says whose answer it is. */
function authServer(): Server {
  return createServer((request, response) => {
    const verdict = request.headers['x-verdict'] as Verdict;
    const id = String(request.headers['x-id']);
    const answer = (status: number): void => {
      response.writeHead(status, { 'X-User': `user-${id}`, 'WWW-Authenticate': `Basic realm="${id}"` });
      response.end(verdict === 'late' ? 'x'.repeat(100_000) : '');
    };
    if (verdict === 'break') request.socket.destroy();
    else if (verdict === 'late') setTimeout(answer, Math.random() * 10, 200);
    else setImmediate(answer, { yes: 200, who: 401, no: 403, error: 503 }[verdict]);
  });
}

test('many clients, some of whom leave: each gets its own verdict, user and body, and one copy is made of each', async () => {
  const copies = new Map<string, string>();
  const reading = (server: (id: string, user: string, body: string) => string | null): Server =>
    createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString('latin1');
      });
      request.on('end', () => {
        response.end(server(String(request.headers['x-id']), String(request.headers['x-user']), body));
      });
    });
  const main = await listening(reading((id, user, body) => `${id} ${user} ${body}`));
  const auth = await listening(authServer());
  const copy = await listening(
    reading((id, _user, body) => {
      copies.set(id, body);
      return null;
    }),
  );
  const port = await freePort();
  const proxy = await startProxy({
    conf: `worker_processes 1;
error_log error.log notice;
events {}
http {
    access_log off;
    upstream auth { server 127.0.0.1:${auth} max_fails=0; }
    server {
        listen 127.0.0.1:${port};
        client_body_buffer_size 1k;
        auth_request_set $user $upstream_http_x_user;
        location / { auth_request /auth; mirror /copy; proxy_set_header X-User $user; proxy_pass http://127.0.0.1:${main}; }
        location = /auth { internal; proxy_pass http://auth; proxy_pass_request_body off; proxy_next_upstream off; }
        location = /copy { internal; proxy_pass http://127.0.0.1:${copy}; }
    }
}
`,
  });
  onTestFinished(async () => void (await proxy.stop()));

  const passed = new Map<string, string>();
  const client = async (number: number): Promise<void> => {
    let connection = await RawClient.connect({ port });
    let answers = 0;
    const reconnect = async (): Promise<void> => {
      connection.close();
      connection = await RawClient.connect({ port });
      answers = 0;
    };
    for (let i = 0; i < EACH; i++) {
      const id = `c${number}-${i}`;
      const verdict = VERDICTS[Math.floor(Math.random() * VERDICTS.length)] as Verdict;
      const body = Math.random() < 0.5 ? '' : `body-of-${id}`.repeat(Math.random() < 0.3 ? 200 : 1);
      const length = body === '' ? '' : `Content-Length: ${body.length}\r\n`;
      const method = body === '' ? 'GET' : 'POST';
      connection.send(
        `${method} /${id} HTTP/1.1\r\nHost: t\r\nX-Id: ${id}\r\nX-Verdict: ${verdict}\r\n${length}\r\n${body}`,
      );
      if (Math.random() < 0.1) {
        // It leaves without an answer.
        await reconnect();
        continue;
      }
      expect(await connection.untilResponses(++answers)).toBe(true);
      const response = connection.responses()[answers - 1];
      const status = statusOf(response?.startLine ?? '');
      expect(`${id} ${verdict} ${status}`).toBe(`${id} ${verdict} ${EXPECTED[verdict]}`);
      if (status === 200) {
        expect(response?.body).toBe(`${id} user-${id} ${body}`);
        passed.set(id, body);
      }
      if (status === 401) expect(headerOf(response?.headers ?? [], 'www-authenticate')).toBe(`Basic realm="${id}"`);
      // As nginx: a 500 closes.
      if (status === 500) await reconnect();
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number)));

  await poll(() => ([...passed.keys()].every((id) => copies.has(id)) ? true : undefined), 5000);
  for (const [id, body] of passed) expect(`${id} ${copies.get(id)}`).toBe(`${id} ${body}`);
  for (const [id, body] of copies) expect(body.replaceAll(`body-of-${id}`, '')).toBe('');
  expect(await untilLogged(proxy, /auth request unexpected status: 503 while sending to client/)).toBe(true);
  expect(proxy.errorLog()).not.toMatch(/\[(alert|emerg|crit)\]/);
  // Nothing is left behind: the listening socket, idle connections to peers, the channel to the primary.
  const [pid = 0] = workerPids(proxy);
  expect(pid).toBeGreaterThan(0);
  expect(socketCount(pid)).toBeLessThan(CLIENTS * 4 + 20);
});
