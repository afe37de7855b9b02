import { chmodSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { get, post } from './client-script.ts';
import { compare } from './compare.ts';

/** One site for both programs, so that times and ETags are the same. */
const SITE = tempFolder('try');
afterAll(() => rmSync(SITE, { recursive: true, force: true }));
chmodSync(SITE, 0o755);

function file(path: string, content: string): void {
  const whole = join(SITE, path);
  mkdirSync(join(whole, '..'), { recursive: true });
  writeFileSync(whole, content);
  utimesSync(whole, 1_700_000_000, 1_700_000_000);
}

file('www/index.html', 'index');
file('www/a.html', 'a');
file('www/dir/index.html', 'dir index');
file('www/no-index/x', 'x');
file('www/maintenance.html', 'closed');
file('secret', 'secret');
symlinkSync('a.html', join(SITE, 'www/link.html'));

compare('try_files', {
  addresses: () => ({ SITE }),
  backends: { A: (seen) => `HTTP/1.1 200 OK\r\nContent-Length: ${seen.target.length}\r\n\r\n${seen.target}` },
  http: `
    types { text/html html; }
    server {
      listen 127.0.0.1:%%PORT%%;
      root %%SITE%%/www;
      location / { try_files $uri $uri/ /index.html; }
      location /code { try_files $uri =404; }
      location /451 { try_files $uri =451; }
      location /444 { try_files $uri =444; }
      location /named { try_files $uri @app; }
      location @app { return 200 "app $uri $args $request_uri"; }
      location /args { try_files $uri /target?from=$uri&$args; }
      location = /target { return 200 "target $uri $args"; }
      location /first { try_files /maintenance.html $uri =404; }
      location /html { try_files $uri.html =404; }
      location /a { try_files $uri.html =404; }
      location /second { try_files /none /a.html =404; }
      location /dir-only/ { try_files /dir/ =404; }
      location /directory-as-file { try_files /dir =404; }
      location /file-as-directory { try_files /a.html/ =404; }
      location /loop { try_files /none /loop; }
      location /nowhere { try_files /none @nowhere; }
      location /alias/ { alias %%SITE%%/www/; try_files $uri $uri/ =404; }
      location /alias-fallback/ { alias %%SITE%%/www/; try_files $uri /target; }
      location /alias-constant/ { alias %%SITE%%/www/; try_files a.html =404; }
      location ~ ^/regex/(.*)$ { alias %%SITE%%/www/; try_files $1 =404; }
      location /proxied { try_files /a.html =404; proxy_pass http://%%A%%; }
      location /proxied-fallback { try_files /none @peer; }
      location @peer { proxy_pass http://%%A%%; }
      location /error { error_page 404 /a.html; try_files $uri =404; }
      location /if { try_files /a.html =404; if ($arg_in) { add_header X-In 1; } return 200 returned; }
      location /if-file { if ($arg_in) { add_header X-In 1; } try_files /a.html =404; }
      location /links { disable_symlinks on; try_files /link.html /a.html =404; }
      location /outer { try_files /a.html =404; location /outer/inner { } }
    }
    server { listen 127.0.0.1:%%PORT_SERVER%%; root %%SITE%%/www; try_files /a.html =404; }
    server { listen 127.0.0.1:%%PORT_BOTH%%; root %%SITE%%/www; try_files /a.html =404; location / { } }`,
  cases: {
    'a file': get('/index.html'),
    'a directory': get('/dir'),
    'a directory with its slash': get('/dir/'),
    'a directory without an index': get('/no-index'),
    'the last URI': get('/nothing?x=y'),
    HEAD: get('/nothing', { method: 'HEAD' }),
    '=404': get('/code'),
    '=451': get('/451'),
    '=444': get('/444'),
    'a named location': get('/named/x?a=b'),
    'a named location by POST': post('/named/x', 'body'),
    arguments: get('/args/x?a=b'),
    'a constant that is there': get('/first'),
    'an extension': get('/a'),
    'an extension that is not there': get('/html'),
    'the second': get('/second'),
    'a directory that is there': get('/dir-only/'),
    'a directory is no file': get('/directory-as-file'),
    'a file is no directory': get('/file-as-directory'),
    'a loop': get('/loop'),
    'a named location that is not there': get('/nowhere'),
    'under an alias': get('/alias/a.html'),
    'under an alias: a directory': get('/alias/dir/'),
    'under an alias: not there': get('/alias/none'),
    'under an alias: the last URI': get('/alias-fallback/none'),
    'under an alias: a constant': get('/alias-constant/x'),
    'under an alias of a regex': get('/regex/a.html'),
    'under an alias of a regex: not there': get('/regex/none'),
    'before proxy_pass': get('/proxied?x=1'),
    'a peer as the last': get('/proxied-fallback/a%20b?x=1'),
    'error_page of its code': get('/error'),
    'return comes first': get('/if'),
    'is not in an if': get('/if-file?in=1'),
    'without the if': get('/if-file'),
    disable_symlinks: get('/links'),
    'is not inherited': get('/outer/inner'),
    'of a server without locations': get('/x', { port: 'PORT_SERVER' }),
    'of a server with a location': get('/x', { port: 'PORT_BOTH' }),
    'encoded dots': get('/code/%2e%2e/%2e%2e/secret'),
  },
});
