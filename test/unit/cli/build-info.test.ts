import { describe, expect, test } from 'vitest';
import { configureArguments } from '../../../src/cli/build-info.ts';
import { hasEmerg } from '../../../src/config/diagnostic.ts';
import { textSource } from '../../../src/process/config-source.ts';

const SWITCHES = configureArguments().split(' ');

/** A directive of each module that nginx has unless `--without-…`, inside `http`. */
const DEFAULT_MODULES: Readonly<Record<string, string>> = {
  http_charset_module: 'charset utf-8;',
  http_gzip_module: 'gzip on;',
  http_ssi_module: 'ssi on;',
  http_userid_module: 'userid on;',
  http_access_module: 'deny all;',
  http_auth_basic_module: 'auth_basic x;',
  http_mirror_module: 'server { location / { mirror /m; } }',
  http_autoindex_module: 'autoindex on;',
  http_geo_module: 'geo $x { default 0; }',
  http_map_module: 'map $uri $x { default 0; }',
  http_split_clients_module: 'split_clients $uri $x { * 0; }',
  http_referer_module: 'server { valid_referers none server_names; }',
  http_rewrite_module: 'server { rewrite ^ /x; }',
  http_proxy_module: 'server { location / { proxy_pass http://127.0.0.1:1; } }',
  http_fastcgi_module: 'server { location / { fastcgi_pass 127.0.0.1:1; } }',
  http_uwsgi_module: 'server { location / { uwsgi_pass 127.0.0.1:1; } }',
  http_scgi_module: 'server { location / { scgi_pass 127.0.0.1:1; } }',
  http_grpc_module: 'server { location / { grpc_pass 127.0.0.1:1; } }',
  http_memcached_module: 'server { location / { memcached_pass 127.0.0.1:1; } }',
  http_limit_conn_module: 'limit_conn_zone $uri zone=x:1m;',
  http_limit_req_module: 'limit_req_zone $uri zone=x:1m rate=1r/s;',
  http_empty_gif_module: 'server { location / { empty_gif; } }',
  http_browser_module: 'modern_browser unlisted;',
  http_upstream_hash_module: 'upstream u { hash $uri; server 127.0.0.1; }',
  http_upstream_ip_hash_module: 'upstream u { ip_hash; server 127.0.0.1; }',
  http_upstream_least_conn_module: 'upstream u { least_conn; server 127.0.0.1; }',
  http_upstream_random_module: 'upstream u { random; server 127.0.0.1; }',
  http_upstream_keepalive_module: 'upstream u { server 127.0.0.1; keepalive 1; }',
  http_upstream_zone_module: 'upstream u { zone u 64k; server 127.0.0.1; }',
  http_upstream_sticky_module: 'upstream u { server 127.0.0.1; sticky cookie c; }',
  http_upstream_least_time_module: 'upstream u { least_time header; server 127.0.0.1; }',
  http_tunnel_module: 'server { location / { tunnel_pass; } }',
  'http-cache': 'proxy_cache_path /tmp keys_zone=x:1m;',
};

const OPTIONAL_MODULES: Readonly<Record<string, string>> = {
  http_addition_module: 'add_before_body /x;',
  http_auth_request_module: 'auth_request /x;',
  http_dav_module: 'dav_methods PUT;',
  http_gunzip_module: 'gunzip on;',
  http_gzip_static_module: 'gzip_static on;',
  http_realip_module: 'set_real_ip_from 127.0.0.1;',
  http_secure_link_module: 'server { secure_link x; }',
  http_slice_module: 'slice 1m;',
  http_ssl_module: 'ssl_protocols TLSv1.3;',
  http_stub_status_module: 'server { location / { stub_status; } }',
  http_sub_module: 'sub_filter a b;',
  http_v2_module: 'http2 on;',
};

function isKnown(directive: string): boolean {
  return !hasEmerg(textSource(`events {} http { ${directive} }`, 'probe', '/').read().diagnostics);
}

describe('the configure arguments of -V are true', () => {
  test.each(Object.entries(DEFAULT_MODULES))('%s', (name, directive) => {
    expect(isKnown(directive)).toBe(!SWITCHES.includes(`--without-${name}`));
  });

  test.each(Object.entries(OPTIONAL_MODULES))('%s', (name, directive) => {
    expect(isKnown(directive)).toBe(SWITCHES.includes(`--with-${name}`));
  });

  test('no stream, no mail', () => {
    for (const block of ['stream {}', 'mail {}']) {
      expect(hasEmerg(textSource(`events {} ${block}`, 'probe', '/').read().diagnostics)).toBe(true);
    }
    expect(SWITCHES.filter((word) => /stream|mail/.test(word.replace(/_(sub|upstream_\w+)_module/, '')))).toEqual([]);
  });

  test('every switch is one of these', () => {
    const names = SWITCHES.map((word) => word.replace(/^--with(?:out)?-/, ''));
    for (const name of names) expect({ ...DEFAULT_MODULES, ...OPTIONAL_MODULES }).toHaveProperty([name]);
  });
});
