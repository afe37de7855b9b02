import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type FoundStack, findStack } from '../../../src/cli/check-conf.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const folder = tempFolder('check-conf');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function find(files: Readonly<Record<string, string>>): FoundStack {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return findStack(join(folder, 'nginx.conf'));
}

const http = (text: string): FoundStack => find({ 'nginx.conf': `events {}\nhttp {\n${text}\n}\n` });

describe('ports of an nginx configuration', () => {
  test.each([
    ['listen 80;', '127.0.0.1:80', 'http://127.0.0.1:80/'],
    ['listen 10.0.0.1;', '10.0.0.1:80', 'http://10.0.0.1:80/'],
    ['listen *:8080;', '127.0.0.1:8080', 'http://127.0.0.1:8080/'],
    ['listen 0.0.0.0:8080 backlog=10;', '127.0.0.1:8080', 'http://127.0.0.1:8080/'],
    ['listen [::]:8080;', '[::1]:8080', 'http://[::1]:8080/'],
    ['listen 443 ssl; server_name shop.example *.shop.example;', '127.0.0.1:443', 'https://shop.example:443/'],
    ['listen 80; server_name _ "" *.x ~^a$ b.example;', '127.0.0.1:80', 'http://b.example:80/'],
    ['listen unix:/run/x.sock;', 'unix:/run/x.sock', 'http://localhost/'],
    ['server_name none.example;', '127.0.0.1:80', 'http://none.example:80/'],
  ])('%s', (text, address, url) => {
    expect(http(`server { ${text} }`).listeners).toEqual([{ url, address, hasProxyProtocol: false }]);
  });

  test('one port of several servers is asked for once, for the default one; ranges; PROXY protocol', () => {
    const { listeners } = http(`
      server { listen 80; server_name a.example; }
      server { listen 80 default_server; server_name b.example; }
      server { listen 8000-8002 proxy_protocol; }`);
    expect(listeners.map(({ url, hasProxyProtocol }) => [url, hasProxyProtocol])).toEqual([
      ['http://b.example:80/', false],
      ['http://127.0.0.1:8000/', true],
      ['http://127.0.0.1:8001/', true],
      ['http://127.0.0.1:8002/', true],
    ]);
  });
});

describe('backends of an nginx configuration', () => {
  test('servers of upstreams, by how they are spoken to; those that are down are left out', () => {
    const { backends } = http(`
      upstream web { zone web 64k; server 10.0.0.1:8000 weight=2; server b.example backup; server 10.0.0.3:1 down; server unix:/run/b.sock; }
      upstream safe { server 10.0.0.4:8443; }
      upstream php { server 10.0.0.5:9000; }
      upstream unused { server 10.0.0.6; }
      server {
        location / { proxy_pass http://web; health_check uri=/up interval=5s; }
        location /safe/ { proxy_pass https://safe/x/; }
        location /php { fastcgi_pass php; }
        location /direct { proxy_pass http://10.0.0.7:81/; }
      }`);
    expect(backends.map(({ address, scheme, uri }) => [address, scheme, uri])).toEqual([
      ['10.0.0.1:8000', 'http', '/up'],
      ['b.example', 'http', '/up'],
      ['unix:/run/b.sock', 'http', '/up'],
      ['10.0.0.4:8443', 'https', null],
      ['10.0.0.5:9000', null, null],
      ['10.0.0.7:81', 'http', null],
      ['10.0.0.6', null, null],
    ]);
  });

  test('stream servers and their upstreams are connected to', () => {
    const found = find({
      'nginx.conf':
        'events {}\nstream { upstream db { server 10.0.0.1:5432; } server { listen 5432; listen 53 udp; proxy_pass db; } }',
    });
    expect(found.listeners).toEqual([{ url: null, address: '127.0.0.1:5432', hasProxyProtocol: false }]);
    expect(found.backends).toEqual([{ address: '10.0.0.1:5432', scheme: null, uri: null }]);
  });

  test('includes are followed, unknown directives do not matter', () => {
    const found = find({
      'nginx.conf': 'made_up on;\nevents {}\nhttp { include conf.d/*.conf; }',
      'conf.d/a.conf': 'server { listen 81; wonder { of the; } location / { proxy_pass http://10.0.0.9; } }',
    });
    expect(found.listeners.map(({ address }) => address)).toEqual(['127.0.0.1:81']);
    expect(found.backends.map(({ address }) => address)).toEqual(['10.0.0.9']);
    rmSync(join(folder, 'conf.d'), { recursive: true });
  });

  test('a variable that is always the same is no riddle', () => {
    const { backends, notes } = http(`server {
      set $where backend.example:8000;
      location / { proxy_pass http://$where; }
      location /x { set $scheme_and_all https://10.0.0.1; proxy_pass $scheme_and_all; }
      location /y { set $two a; proxy_pass http://\${two}; }
      location /z { set $two b; proxy_pass http://c.example$request_uri; }
    }`);
    expect(backends.map(({ address, scheme }) => [address, scheme])).toEqual([
      ['backend.example:8000', 'http'],
      ['10.0.0.1', 'https'],
    ]);
    expect(notes).toHaveLength(2);
  });

  test('what only a request tells is said to be not checked', () => {
    const { notes, backends } = http('server { location / { proxy_pass http://$upstream; } }');
    expect(backends).toEqual([]);
    expect(notes).toEqual([
      expect.stringMatching(
        /nginx\.conf:3: where "proxy_pass http:\/\/\$upstream" leads is known only for each request: not checked$/,
      ),
    ]);
  });
});

describe('a configuration that can not be read whole', () => {
  test('is refused: what is not read is not checked', () => {
    expect(() => find({ 'nginx.conf': 'events {\n' })).toThrow(
      /--conf .*nginx\.conf: unexpected end of file, expecting "}" in .*:2$/,
    );
    expect(() => find({ 'nginx.conf': 'http { include gone.conf; }' })).toThrow(/gone\.conf" failed \(2: No such file/);
    expect(() => findStack(join(folder, 'gone.conf'))).toThrow(/--conf .*gone\.conf: open\(\)/);
  });
});
