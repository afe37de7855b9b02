import { expect, test } from 'vitest';
import { headerOf } from '../support/http-message.ts';
import { reply } from '../support/scripted-backend.ts';
import { get, OneBackend, statuses } from './one-backend.ts';

const LARGE = 'v'.repeat(200_000);
const SETTINGS = {
  server: 'large_client_header_buffers 8 256k;',
  location:
    'proxy_buffer_size 1m; proxy_buffers 8 1m; proxy_set_header X-Again $http_x_0; add_header X-Asked $http_x_0;',
  upstream: 'keepalive 4;',
};

test('heads as large as the configuration lets them be pass whole, both ways, and the worker lives on', async () => {
  const site = await OneBackend.start(
    (request) =>
      reply('ok', '200 OK', { 'X-Large': headerOf(request.headers, 'x-0') ?? '', 'X-More': LARGE, 'X-Yet': LARGE }),
    SETTINGS,
  );
  const worker = site.workerPid;
  const fields = [0, 1, 2, 3].map((i) => `X-${i}: ${LARGE}\r\n`).join('');
  const client = await site.ask(get('/one', fields) + get('/two') + get('/three', fields), 3);
  expect(statuses(client)).toEqual([200, 200, 200]);
  expect(client.responses().map((response) => response.body)).toEqual(['ok', 'ok', 'ok']);
  expect(client.responses().map(({ headers }) => headerOf(headers, 'x-large')?.length)).toEqual([200_000, 0, 200_000]);
  expect(client.responses().map(({ headers }) => headerOf(headers, 'x-asked')?.length)).toEqual([
    200_000,
    undefined,
    200_000,
  ]);
  expect(site.backend.requests.map(({ headers }) => headerOf(headers, 'x-again'))).toEqual([LARGE, undefined, LARGE]);
  expect(site.workerPid).toBe(worker);
  expect(site.proxy.errorLog()).not.toContain('[alert]');
});
