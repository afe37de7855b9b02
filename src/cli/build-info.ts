/** The nginx whose behaviour and configuration language are followed. */
export const FOLLOWED_VERSION = '1.29.8';

/** nginx's compiled-in paths, as in its own packages. */
export const DEFAULT_PREFIX = '/etc/nginx/';
export const DEFAULT_CONF = '/etc/nginx/nginx.conf';
export const DEFAULT_ERROR_LOG = '/var/log/nginx/error.log';
export const DEFAULT_PID = '/run/nginx.pid';

/** A part of nginx as `configure` names it, and whether it is here. */
interface Part {
  /** What stands behind `--with-` or `--without-`. */
  readonly name: string;
  readonly isHere: boolean;
}

const here = (name: string): Part => ({ name, isHere: true });
const missing = (name: string): Part => ({ name, isHere: false });

/** In nginx unless `--without-…`. */
const DEFAULT_PARTS: readonly Part[] = [
  here('http_charset_module'),
  here('http_gzip_module'),
  missing('http_ssi_module'),
  missing('http_userid_module'),
  here('http_access_module'),
  here('http_auth_basic_module'),
  here('http_mirror_module'),
  here('http_autoindex_module'),
  here('http_geo_module'),
  here('http_map_module'),
  here('http_split_clients_module'),
  here('http_referer_module'),
  here('http_rewrite_module'),
  here('http_proxy_module'),
  missing('http_fastcgi_module'),
  missing('http_uwsgi_module'),
  missing('http_scgi_module'),
  missing('http_grpc_module'),
  missing('http_memcached_module'),
  here('http_limit_conn_module'),
  here('http_limit_req_module'),
  missing('http_empty_gif_module'),
  missing('http_browser_module'),
  here('http_upstream_hash_module'),
  here('http_upstream_ip_hash_module'),
  here('http_upstream_least_conn_module'),
  here('http_upstream_random_module'),
  here('http_upstream_keepalive_module'),
  here('http_upstream_zone_module'),
  missing('http_upstream_sticky_module'),
  // Newer than the version that is followed; tools ask for them all the same.
  missing('http_upstream_least_time_module'),
  missing('http_tunnel_module'),
  missing('http-cache'),
];

/** In nginx only `--with-…`. */
const OPTIONAL_PARTS: readonly Part[] = [
  here('http_auth_request_module'),
  here('http_gunzip_module'),
  here('http_sub_module'),
  here('http_gzip_static_module'),
  here('http_ssl_module'),
  here('http_v2_module'),
  here('http_realip_module'),
  here('http_stub_status_module'),
];

/** What `-V` prints behind `configure arguments:`; nothing but switches, since tools search this line for words. */
export function configureArguments(): string {
  const without = DEFAULT_PARTS.filter((part) => !part.isHere).map((part) => `--without-${part.name}`);
  const optional = OPTIONAL_PARTS.filter((part) => part.isHere).map((part) => `--with-${part.name}`);
  return [...optional, ...without].join(' ');
}
