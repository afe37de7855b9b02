import { describe, expect, it } from 'vitest';
import { EVENKEEL, NGINX } from '../support/program.ts';
import { expectSame, IS_ORACLE_ONLY, oracleOrSkip } from './compare.ts';
import type { DeliberateDifference } from './deliberate-differences.ts';
import { type CommandResult, runCommand } from './run-command.ts';

const http = (text: string) => `events {}\nhttp {\n${text}\n}\n`;
const server = (text: string) => http(`server {\nlisten 127.0.0.1:8079;\n${text}\n}`);
const location = (text: string) => server(`location / {\n${text}\n}`);
const upstream = (text: string) =>
  http(`upstream u {\n${text}\n}\nserver { listen 127.0.0.1:8079; location / { proxy_pass http://u; } }`);

/** Title -> configuration. What is compared: exit code, warnings, the first finding, and nginx's last line. */
const CONFIGURATIONS: Readonly<Record<string, string>> = {
  good: location('return 200 "x";'),
  'empty file': '',
  'events only': 'events {}',
  'no events': 'http {}',

  // error_page
  'error_page of every form': location(
    'error_page 404 /a; error_page 500 502 =200 @x; error_page 403 = /$uri; error_page 300 599 http://x/; recursive_error_pages on;',
  ),
  'error_page without a page': location('error_page 404;'),
  'error_page =200 without a status': location('error_page =200 /x;'),
  'error_page =x': location('error_page 404 =x /x;'),
  'error_page of no number': location('error_page 404 four /x;'),
  'error_page of 499': location('error_page 499 /x;'),
  'error_page of 200': location('error_page 200 /x;'),
  'error_page of 600': location('error_page 600 /x;'),
  'error_page of an unknown variable': location('error_page 404 /$nothing;'),
  'recursive_error_pages twice': location('recursive_error_pages on; recursive_error_pages off;'),

  // files
  'static files of every form': location(
    'root /x/; index a $host /b; etag off; if_modified_since before; max_ranges 5; disable_symlinks if_not_owner from=/x; expires modified +1d;',
  ),
  'alias in a regex location': server('location ~ ^/(x) { alias /y/$1; }'),
  'alias in a named location': server('location @x { alias /y; }'),
  'root and alias': location('root /x; alias /y;'),
  'root with $document_root': location('root $document_root/x;'),
  'root of an unknown variable': location('root $nothing;'),
  'if_modified_since of another word': location('if_modified_since sometimes;'),
  'max_ranges of no number': location('max_ranges many;'),
  'disable_symlinks of another word': location('disable_symlinks maybe;'),
  'disable_symlinks with from= alone': location('disable_symlinks from=/x;'),
  'disable_symlinks off with from=': location('disable_symlinks off from=/x;'),
  'disable_symlinks with two words': location('disable_symlinks on if_not_owner;'),
  'disable_symlinks twice': location('disable_symlinks on; disable_symlinks on;'),
  'expires of no time': location('expires soon;'),
  'expires changed': location('expires changed 1d;'),
  'expires modified of the day': location('expires modified @1h;'),
  'expires of 25 hours of the day': location('expires @25h;'),
  'expires twice': location('expires 1d; expires 2d;'),

  // autoindex
  'autoindex of every form': location(
    'autoindex on; autoindex_exact_size off; autoindex_localtime on; autoindex_format jsonp;',
  ),
  'autoindex of another word': location('autoindex maybe;'),
  'autoindex twice': location('autoindex on; autoindex on;'),
  'autoindex_exact_size of another word': location('autoindex_exact_size 1;'),
  'autoindex_localtime of two words': location('autoindex_localtime on off;'),
  'autoindex_format of another word': location('autoindex_format text;'),
  'autoindex_format twice': location('autoindex_format xml; autoindex_format html;'),
  'autoindex in an if': location('if ($uri) { autoindex on; }'),

  // syslog
  'syslog of every form': location(
    'access_log syslog:server=127.0.0.1,facility=local0,severity=error,tag=x_1,nohostname combined if=$host; access_log syslog:server=[::1]:1514; access_log syslog:server=unix:/dev/log; error_log syslog:server=127.0.0.1:514,tag= warn;',
  ),
  'syslog without parameters': location('access_log syslog:;'),
  'syslog without a server': location('access_log syslog:nohostname;'),
  'syslog of an empty server': location('access_log syslog:server=;'),
  'syslog of a bad port': location('access_log syslog:server=127.0.0.1:x;'),
  'syslog of port 99999': location('access_log syslog:server=127.0.0.1:99999;'),
  'syslog of a bad IPv6 address': location('access_log syslog:server=[::1;'),
  'syslog of a host that is unknown': location('access_log syslog:server=no-such-host.invalid;'),
  'syslog of a unix socket without a path': location('access_log syslog:server=unix:;'),
  'syslog of a unix socket with a long path': location(
    'access_log syslog:server=unix:/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx;',
  ),
  'syslog of an unknown facility': location('access_log syslog:server=127.0.0.1,facility=x;'),
  'syslog of an unknown severity': location('access_log syslog:server=127.0.0.1,severity=warning;'),
  'syslog with a tag of other characters': location('access_log syslog:server=127.0.0.1,tag=a-b;'),
  'syslog with a long tag': location('access_log syslog:server=127.0.0.1,tag=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;'),
  'syslog with an unknown parameter': location('access_log syslog:server=127.0.0.1,what;'),
  'syslog with a comma at the end': location('access_log syslog:server=127.0.0.1,;'),
  'syslog with two servers': location('access_log syslog:server=127.0.0.1,server=127.0.0.1;'),
  'syslog with two facilities': location('access_log syslog:server=127.0.0.1,facility=user,facility=user;'),
  'syslog with two severities': location('access_log syslog:server=127.0.0.1,severity=info,severity=info;'),
  'syslog with two tags': location('access_log syslog:server=127.0.0.1,tag=a,tag=b;'),
  'error_log to a bad syslog': location('error_log syslog:server=127.0.0.1,facility=none;'),
  'error_log to syslog of a bad level': location('error_log syslog:server=127.0.0.1 loud;'),
  'error_log with two levels': location('error_log syslog:server=127.0.0.1 warn info;'),
  'syslog with a buffer': location('access_log syslog:server=127.0.0.1 combined buffer=4k;'),
  'syslog with gzip': location('access_log syslog:server=127.0.0.1 combined gzip;'),
  'syslog with a flush time alone': location('access_log syslog:server=127.0.0.1 combined flush=1s;'),
  'syslog of an unknown format': location('access_log syslog:server=127.0.0.1 none;'),
  'a file that is called syslog': location('access_log syslog;'),

  // sub_filter
  'sub_filter of every form': location(
    'sub_filter a b; sub_filter $host $uri; sub_filter_once off; sub_filter_types text/plain text/css; sub_filter_last_modified on;',
  ),
  'sub_filter of nothing': location('sub_filter "" x;'),
  'sub_filter without a replacement': location('sub_filter a;'),
  'sub_filter of an unknown variable': location('sub_filter a $nothing;'),
  'sub_filter for an unknown variable': location('sub_filter $nothing a;'),
  'sub_filter in an if': location('if ($host) { sub_filter a b; }'),
  'sub_filter_once of another word': location('sub_filter_once maybe;'),
  'sub_filter_once twice': location('sub_filter_once on; sub_filter_once on;'),
  'sub_filter_types with text/html': location('sub_filter_types text/html;'),
  'sub_filter_types with a type twice': location('sub_filter_types text/plain text/plain;'),
  'sub_filter_types of all': location('sub_filter_types * text/html;'),
  'sub_filter_last_modified of another word': location('sub_filter_last_modified 1;'),

  // charset
  'charset: charset_map a b {}': http('charset_map a b {}'),
  'charset: charset_map a b { 80 81; 8 9; } server { charset a; source_charset b; }': http(
    'charset_map a b { 80 81; 8 9; } server { charset a; source_charset b; }',
  ),
  'charset: charset_map a b { 80 81; } server { charset b; source_charset a; }': http(
    'charset_map a b { 80 81; } server { charset b; source_charset a; }',
  ),
  'charset: charset_map a b { 80 81; 80 82; }': http('charset_map a b { 80 81; 80 82; }'),
  'charset: charset_map $a off {}': http('charset_map $a off {}'),
  'charset: charset_map a UTF-8 { 80 C3A9; 81 e282ac; } server { charset a; source_charset utf-8; }': http(
    'charset_map a UTF-8 { 80 C3A9; 81 e282ac; } server { charset a; source_charset utf-8; }',
  ),
  'charset: charset_map a utf-8 { 41 42; }': http('charset_map a utf-8 { 41 42; }'),
  'charset: server { charset x; source_charset X; }': http('server { charset x; source_charset X; }'),
  'charset: server { charset $host; source_charset koi8-r; override_charset on; charset_types text/css; }': http(
    'server { charset $host; source_charset koi8-r; override_charset on; charset_types text/css; }',
  ),
  'charset: server { location / { if ($host) { charset x; override_charset on; } } }': http(
    'server { location / { if ($host) { charset x; override_charset on; } } }',
  ),
  'charset: source_charset off;': http('source_charset off;'),
  'charset: charset_map a a {}': http('charset_map a a {}'),
  'charset: charset_map a b {} charset_map b A {}': http('charset_map a b {} charset_map b A {}'),
  'charset: charset_map a {}': http('charset_map a {}'),
  'charset: charset_map a b { 800 81; }': http('charset_map a b { 800 81; }'),
  'charset: charset_map a b { xx 81; }': http('charset_map a b { xx 81; }'),
  'charset: charset_map a b { 80 xx; }': http('charset_map a b { 80 xx; }'),
  'charset: charset_map a b { 80 8182; }': http('charset_map a b { 80 8182; }'),
  'charset: charset_map a b { 80; }': http('charset_map a b { 80; }'),
  'charset: charset_map a b { 80 81 82; }': http('charset_map a b { 80 81 82; }'),
  'charset: charset_map a utf-8 { 80 C3; }': http('charset_map a utf-8 { 80 C3; }'),
  'charset: charset_map a utf-8 { 80 E; }': http('charset_map a utf-8 { 80 E; }'),
  'charset: charset_map a utf-8 { 80 F09F9880; }': http('charset_map a utf-8 { 80 F09F9880; }'),
  'charset: charset_map a utf-8 { 80 FFFF; }': http('charset_map a utf-8 { 80 FFFF; }'),
  'charset: charset_map a utf-8 { 80 80; }': http('charset_map a utf-8 { 80 80; }'),
  'charset: charset_map utf-8 a { C3A9 80; }': http('charset_map utf-8 a { C3A9 80; }'),
  'charset: server { charset_map a b {} }': http('server { charset_map a b {} }'),
  'charset: charset a; charset b;': http('charset a; charset b;'),
  'charset: charset;': http('charset;'),
  'charset: override_charset maybe;': http('override_charset maybe;'),
  'charset: charset_types text/css text/css;': http('charset_types text/css text/css;'),
  'charset: charset_types text/html;': http('charset_types text/html;'),
  'charset: server { location / { if ($host) { charset_types a/b; } } }': http(
    'server { location / { if ($host) { charset_types a/b; } } }',
  ),
  'charset: server { charset a; source_charset b; }': http('server { charset a; source_charset b; }'),
  'charset: server { charset $nothing; }': http('server { charset $nothing; }'),
  'charset: charset_map a b {} charset_map b c {} server { charset a; source_charset c; }': http(
    'charset_map a b {} charset_map b c {} server { charset a; source_charset c; }',
  ),
  'charset: server { location / { if ($host) { charset a; source_charset b; } } }': http(
    'server { location / { if ($host) { charset a; source_charset b; } } }',
  ),

  // try_files
  'try_files of every form': server(
    'try_files $uri /x =404; location / { try_files $uri $uri/ /index.html; } location /a { try_files a b @c; }',
  ),
  'try_files without an end': location('try_files $uri;'),
  'try_files with a code that is none': location('try_files $uri =x;'),
  'try_files with a code that is too large': location('try_files $uri =1000;'),
  'try_files twice': location('try_files $uri =404; try_files $uri =404;'),
  'try_files in http': http('try_files $uri =404;'),
  'try_files of an unknown variable': location('try_files $nothing =404;'),

  // who may ask
  'satisfy and auth_basic': location(
    'satisfy any; auth_basic "a $host"; auth_basic_user_file $host.users; limit_except GET { auth_basic off; auth_basic_user_file x; }',
  ),
  'satisfy some': location('satisfy some;'),
  'satisfy twice': location('satisfy any; satisfy all;'),
  'auth_basic twice': location('auth_basic a; auth_basic b;'),
  'auth_basic_user_file twice': location('auth_basic_user_file a; auth_basic_user_file b;'),
  'auth_basic of an unknown variable': location('auth_basic $nothing; auth_basic_user_file x;'),

  // directives in general
  'unknown directive': server('frobnicate on;'),
  'unknown directive in main': 'frobnicate on;\nevents {}',
  'directive not allowed here': http('worker_connections 10;'),
  'location in http': http('location / { }'),
  'server in main': 'events {}\nserver { }',
  'listen in location': location('listen 80;'),
  'too few arguments': server('server_name;'),
  'too many arguments': location('proxy_pass http://127.0.0.1 http://127.0.0.2;'),
  'block without a block': 'events {}\nhttp;',
  'simple directive with a block': location('proxy_pass http://127.0.0.1 { }'),
  'duplicate directive': location('client_max_body_size 1m;\nclient_max_body_size 2m;'),
  'duplicate events': 'events {}\nevents {}',
  'duplicate http': 'events {}\nhttp {}\nhttp {}',
  'unexpected end of file': 'events {}\nhttp {\nserver {\n',
  'unexpected closing brace': 'events {}\n}\n',
  'no terminating semicolon': 'events {}\nhttp {\nserver { listen 80 }\n}',
  'unclosed quote': location('return 200 "x;'),
  'text after a quote': location('return 200 "x"y;'),
  'missing include': http('include missing.conf;'),
  'include glob that matches nothing': `${http('include missing/*.conf;')}`,

  // values
  flag: location('proxy_buffering maybe;'),
  time: location('proxy_read_timeout ten;'),
  'time with a bad unit': location('proxy_read_timeout 10x;'),
  'time in parts': location('proxy_read_timeout 1m30s;'),
  size: location('client_max_body_size ten;'),
  'size with a bad unit': location('client_max_body_size 10x;'),
  'negative size': location('client_max_body_size -1;'),
  enumeration: location('proxy_http_version 3.0;'),
  number: 'worker_processes several;\nevents {}',
  'worker_processes 0': 'worker_processes 0;\nevents {}',
  worker_connections: 'events { worker_connections many; }',
  bitmask: location('proxy_next_upstream error sometimes;\nproxy_pass http://127.0.0.1;'),
  'bitmask twice': location('proxy_next_upstream error error;\nproxy_pass http://127.0.0.1;'),
  'proxy_buffers without a size': location('proxy_buffers 4;'),
  'proxy_buffers of one': location('proxy_buffers 1 4k;\nproxy_pass http://127.0.0.1;'),
  'busy buffers too small': location(
    'proxy_buffer_size 8k;\nproxy_busy_buffers_size 4k;\nproxy_pass http://127.0.0.1;',
  ),
  'busy buffers too large': location('proxy_buffers 2 4k;\nproxy_busy_buffers_size 64k;\nproxy_pass http://127.0.0.1;'),
  'unknown error level': 'error_log stderr loud;\nevents {}',
  'unknown variable': location('return 200 $nonsense;'),
  'unknown variable in a log format': http('log_format f $nonsense;\naccess_log a.log f;\nserver { }'),
  'variable without a name': location('return 200 "$";'),
  'unclosed variable': location('return 200 "${uri";'),

  // limits
  limit_req: http(
    'limit_req_zone $binary_remote_addr zone=a:32k rate=1r/s;\nserver { limit_req zone=a burst=2 delay=1; }',
  ),
  'limit_req before its zone': http('limit_req zone=a nodelay;\nlimit_req_zone k zone=a:32k rate=1r/m;'),
  'limit_req of a zone that nobody declared': http('limit_req zone=a;'),
  'limit_req of an empty zone name': http('limit_req zone=;'),
  'limit_req without a zone': http('limit_req burst=2;'),
  'limit_req twice for a zone': http(
    'limit_req_zone k zone=a:32k rate=1r/s;\nlimit_req zone=a;\nlimit_req zone=a burst=2;',
  ),
  'limit_req with burst 0': http('limit_req_zone k zone=a:32k rate=1r/s;\nlimit_req zone=a burst=0;'),
  'limit_req with a bad burst': http('limit_req_zone k zone=a:32k rate=1r/s;\nlimit_req zone=a burst=-1;'),
  'limit_req with a bad delay': http('limit_req_zone k zone=a:32k rate=1r/s;\nlimit_req zone=a delay=x;'),
  'limit_req with nonsense': http('limit_req_zone k zone=a:32k rate=1r/s;\nlimit_req zone=a what;'),
  'limit_req with too much': http('limit_req zone=a burst=1 delay=2 nodelay;'),
  'limit_req_zone without a rate': http('limit_req_zone k zone=a:32k;'),
  'limit_req_zone with a bad rate': http('limit_req_zone k zone=a:32k rate=5r/h;'),
  'limit_req_zone with rate 0': http('limit_req_zone k zone=a:32k rate=0r/s;'),
  'limit_req_zone with a rate of no number': http('limit_req_zone k zone=a:32k rate=r/s;'),
  'limit_req_zone with a rate without a unit': http('limit_req_zone k zone=a:32k rate=1;'),
  'limit_req_zone without a size': http('limit_req_zone k zone=a rate=1r/s;'),
  'limit_req_zone with a bad size': http('limit_req_zone k zone=a:1x rate=1r/s;'),
  'limit_req_zone that is too small': http('limit_req_zone k zone=a:16k rate=1r/s;'),
  'limit_req_zone without a name': http('limit_req_zone k zone=:32k rate=1r/s;'),
  'limit_req_zone with nonsense': http('limit_req_zone k zone=a:32k foo=1;'),
  'limit_req_zone twice': http('limit_req_zone k zone=a:32k rate=1r/s;\nlimit_req_zone j zone=a:32k rate=1r/s;'),
  'limit_req_zone of another size': http(
    'limit_req_zone k zone=a:32k rate=1r/s;\nlimit_req_zone j zone=a:64k rate=1r/s;',
  ),
  'limit_req_zone with an empty key': http('limit_req_zone "" zone=a:32k rate=1r/s;'),
  'limit_req_zone with an unknown variable': http('limit_req_zone $nonsense zone=a:32k rate=1r/s;'),
  'limit_req_zone with an unclosed variable': http('limit_req_zone ${ zone=a:32k rate=1r/s;'),
  'limit_req_status too small': http('limit_req_status 399;'),
  'limit_req_status of no number': http('limit_req_status x;'),
  'limit_req_status twice': http('limit_req_status 429;\nlimit_req_status 430;'),
  'limit_req_log_level of another kind': http('limit_req_log_level crit;'),
  'limit_req_dry_run perhaps': http('limit_req_dry_run perhaps;'),
  'limit_req_zone in a server': server('limit_req_zone k zone=a:32k rate=1r/s;'),
  limit_conn: http('limit_conn_zone $binary_remote_addr zone=a:32k;\nserver { limit_conn a 5; }'),
  'limit_conn of a zone that nobody declared': http('limit_conn a 1;'),
  'limit_conn of a zone for requests': http('limit_req_zone k zone=a:32k rate=1r/s;\nlimit_conn a 1;'),
  'limit_conn twice for a zone': http('limit_conn_zone k zone=a:32k;\nlimit_conn a 1;\nlimit_conn a 2;'),
  'limit_conn 0': http('limit_conn_zone k zone=a:32k;\nlimit_conn a 0;'),
  'limit_conn 65536': http('limit_conn_zone k zone=a:32k;\nlimit_conn a 65536;'),
  'limit_conn without a number': http('limit_conn a;'),
  'limit_conn_zone twice': http('limit_conn_zone k zone=a:32k;\nlimit_conn_zone k zone=a:32k;'),
  'limit_conn_zone with nonsense': http('limit_conn_zone k foo;'),
  'limit_conn_zone that is too small': http('limit_conn_zone k zone=a:1k;'),
  'limit_conn_zone without a name': http('limit_conn_zone k zone=:32k;'),
  'limit_conn_log_level of another kind': http('limit_conn_log_level alert;'),
  'limit_conn_dry_run twice': http('limit_conn_dry_run on;\nlimit_conn_dry_run on;'),
  'zones for requests and for connections of one name': http(
    'limit_req_zone k zone=a:32k rate=1r/s;\nlimit_conn_zone k zone=a:32k;',
  ),
  'an upstream zone of the same name': http(
    'upstream u { zone a 64k; server 127.0.0.1; }\nlimit_req_zone k zone=a:64k rate=1r/s;',
  ),

  // real addresses
  'set_real_ip_from of every kind': http(
    'set_real_ip_from 10.0.0.0/8;\nset_real_ip_from 1.2.3.4;\nset_real_ip_from ::/0;\nset_real_ip_from unix:;\nset_real_ip_from localhost;',
  ),
  'set_real_ip_from with low bits': http('set_real_ip_from 10.0.0.1/8;'),
  'set_real_ip_from with a prefix too long': http('set_real_ip_from 10.0.0.0/33;'),
  'set_real_ip_from with an IPv6 prefix too long': http('set_real_ip_from ::1/129;'),
  'set_real_ip_from nonsense': http('set_real_ip_from nonsense;'),
  'set_real_ip_from all': http('set_real_ip_from all;'),
  'set_real_ip_from a path': http('set_real_ip_from unix:/tmp/x;'),
  'set_real_ip_from nothing': http('set_real_ip_from "";'),
  'real_ip_header without a name': http('real_ip_header;'),
  'real_ip_header twice': http('real_ip_header X-Real-IP;\nreal_ip_header X-Other;'),
  'real_ip_header of the PROXY protocol': server('real_ip_header proxy_protocol;'),
  'real_ip_recursive perhaps': http('real_ip_recursive perhaps;'),
  'set_real_ip_from in an upstream': upstream('set_real_ip_from 10.0.0.1;'),
  'listen proxy_protocol': server('listen 127.0.0.1:8080 proxy_protocol;'),
  'listen proxy_protocol=on': server('listen 127.0.0.1:8080 proxy_protocol=on;'),
  'listen proxy_protocol in one of two servers': http(
    'server { listen 127.0.0.1:8079 proxy_protocol; }\nserver { listen 127.0.0.1:8079; server_name b; }',
  ),

  // listen and server
  'listen with a bad port': server('listen 127.0.0.1:99999;'),
  'listen on port 0': server('listen 127.0.0.1:0;'),
  'listen with nonsense': server('listen 127.0.0.1:abc;'),
  'listen with an unknown parameter': server('listen 127.0.0.1:8080 fast;'),
  'listen with a host that does not exist': server('listen nowhere.invalid:80;'),
  'listen twice in one server': server('listen 127.0.0.1:8079;'),
  'two default servers': http(
    'server { listen 127.0.0.1:8079 default_server; }\nserver { listen 127.0.0.1:8079 default_server; }',
  ),
  'options of one address twice': http(
    'server { listen 127.0.0.1:8079 backlog=10; }\nserver { listen 127.0.0.1:8079 backlog=20; }',
  ),
  'listen with a bad backlog': server('listen 127.0.0.1:8081 backlog=many;'),
  'listen unix without a path': server('listen unix:;'),
  'conflicting server name': http(
    'server { listen 127.0.0.1:8079; server_name a; }\nserver { listen 127.0.0.1:8079; server_name a; }',
  ),
  'bad wildcard in a server name': server('server_name a.*.b;'),
  'server name with two wildcards': server('server_name *.a.*;'),
  'bad regex in a server name': server('server_name ~(;'),
  'empty regex in a server name': server('server_name ~;'),
  'server name that looks suspicious': server('server_name "a b";'),

  // locations
  'duplicate location': server('location /a { }\nlocation /a { }'),
  'duplicate exact location': server('location = /a { }\nlocation = /a { }'),
  'bad regex in a location': server('location ~ ( { }'),
  'bad modifier': server('location ! /a { }'),
  'three arguments': server('location ~ /a /b { }'),
  'nested location outside': server('location /a { location /b { } }'),
  'nested in an exact location': server('location = /a { location /a/b { } }'),
  'named location nested': server('location /a { location @b { } }'),
  'nested in a named location': server('location @a { location /b { } }'),
  'named location without a name': server('location @ { }'),

  // proxy
  'proxy_pass without a scheme': location('proxy_pass 127.0.0.1:80;'),
  'proxy_pass with an unknown scheme': location('proxy_pass gopher://127.0.0.1;'),
  'proxy_pass with a bad port': location('proxy_pass http://127.0.0.1:99999;'),
  'proxy_pass without a host': location('proxy_pass http://;'),
  'proxy_pass twice': location('proxy_pass http://127.0.0.1;\nproxy_pass http://127.0.0.2;'),
  'proxy_pass with a URI in a regex location': server('location ~ a { proxy_pass http://127.0.0.1/b; }'),
  'proxy_pass with a URI in a named location': server('location @a { proxy_pass http://127.0.0.1/b; }'),
  'proxy_pass in server': server('proxy_pass http://127.0.0.1;'),
  'proxy_pass unix without a path': location('proxy_pass http://unix:;'),
  'proxy_set_header with one argument': location('proxy_set_header X;'),
  'proxy_redirect default after proxy_pass with variables': location(
    'proxy_pass http://$host;\nproxy_redirect default;',
  ),
  'proxy_redirect default before proxy_pass': location('proxy_redirect default;\nproxy_pass http://127.0.0.1;'),
  'proxy_redirect with a bad word': location('proxy_redirect nonsense;'),
  'proxy_redirect with a bad regex': location('proxy_redirect ~( /;'),
  'proxy_cookie_path with one argument': location('proxy_cookie_path /;'),
  'proxy_cookie_flags with a bad flag': location('proxy_cookie_flags a fast;'),
  'proxy_ignore_headers unknown': location('proxy_ignore_headers X-Nonsense;'),
  'proxy_bind with nonsense': location('proxy_bind nonsense;'),
  'proxy_method without a value': location('proxy_method;'),

  // upstreams
  'upstream without servers': http('upstream u { }'),
  'upstream twice': http('upstream u { server 127.0.0.1; }\nupstream u { server 127.0.0.1; }'),
  'upstream with a bad parameter': upstream('server 127.0.0.1 speed=3;'),
  'upstream with weight 0': upstream('server 127.0.0.1 weight=0;'),
  'upstream with a bad weight': upstream('server 127.0.0.1 weight=heavy;'),
  'upstream with a bad fail_timeout': upstream('server 127.0.0.1 fail_timeout=soon;'),
  'upstream with a bad max_fails': upstream('server 127.0.0.1 max_fails=-1;'),
  'upstream with a bad port': upstream('server 127.0.0.1:0;'),
  'upstream with a URI': upstream('server http://127.0.0.1;'),
  'upstream of backups only': upstream('server 127.0.0.1 backup;'),
  'backup with ip_hash': upstream('ip_hash;\nserver 127.0.0.1;\nserver 127.0.0.2 backup;'),
  'backup with hash': upstream('hash $uri;\nserver 127.0.0.1 backup;\nserver 127.0.0.2;'),
  'two balancers': upstream('ip_hash;\nleast_conn;\nserver 127.0.0.1;'),
  'keepalive twice': upstream('server 127.0.0.1;\nkeepalive 2;\nkeepalive 3;'),
  'hash with a bad word': upstream('hash $uri nonsense;\nserver 127.0.0.1;'),
  'random with a bad word': upstream('random three;\nserver 127.0.0.1;'),
  'random two with a bad method': upstream('random two fastest;\nserver 127.0.0.1;'),
  'zone without a size': upstream('zone z;\nserver 127.0.0.1;'),
  'zone too small': upstream('zone z 1k;\nserver 127.0.0.1;'),
  'zone with a bad size': upstream('zone z big;\nserver 127.0.0.1;'),
  'unknown upstream in a port': http(
    'upstream u { server 127.0.0.1; }\nserver { listen 127.0.0.1:8079; location / { proxy_pass http://u:81; } }',
  ),
  'server in upstream without an address': upstream('server;'),

  // responses, logs, access
  'return with a bad code': location('return 1000;'),
  'return with a code alone that is too long': location('return 99999 x;'),
  'return with a word': location('return nonsense;'),
  'add_header with one argument': location('add_header X;'),
  'add_header with a bad third': location('add_header X y sometimes;'),
  'allow with nonsense': location('allow nonsense;'),
  'allow with a bad mask': location('allow 10.0.0.0/99;'),
  'allow with host bits set': location('allow 10.0.0.1/8;'),
  'log format unknown': location('access_log a.log nonsense;'),
  'log format twice': http('log_format f a;\nlog_format f b;'),
  'log format combined': http('log_format combined a;'),
  'log format with a bad escape': http('log_format f escape=xml a;'),
  'access_log with a bad buffer': http('log_format f a;\naccess_log a.log f buffer=none;'),
  'access_log with flush alone': http('log_format f a;\naccess_log a.log f flush=1s;'),
  'access_log with an unknown parameter': http('log_format f a;\naccess_log a.log f fast;'),
  'access_log off with more': http('access_log off combined;'),
  'connection_pool_size too small': http('connection_pool_size 64;'),
  'connection_pool_size of odd bytes': http('connection_pool_size 1000;'),
  'open_log_file_cache without max': http('open_log_file_cache min_uses=2;'),
  'open_log_file_cache with nonsense': http('open_log_file_cache foo;'),
  'types twice the same extension': http('types { text/a x; text/b x; }'),
  'keepalive_timeout with nonsense': location('keepalive_timeout never;'),
  'client_body_buffer_size 0': location('client_body_buffer_size 0;'),
  'large_client_header_buffers too small': server('client_header_buffer_size 1k;\nlarge_client_header_buffers 4 100;'),
  'server_tokens with nonsense': location('server_tokens maybe;'),
  'limit_rate with nonsense': location('limit_rate fast;'),
  'user that does not exist': 'user no_such_user_here;\nevents {}',
  'env and unknown in main': 'env PATH;\nenv X=y;\nevents {}',
  'directories that cannot be made': http('proxy_temp_path /proc/no/such;'),
  'error log that cannot be opened': 'error_log /proc/no/such;\nevents {}',

  // rewrite
  'rewrite in http': http('rewrite a b;'),
  'rewrite with one argument': location('rewrite ^/a;'),
  'rewrite with a bad flag': location('rewrite ^/a /b sometimes;'),
  'rewrite with a bad regex': location('rewrite ( /b;'),
  'rewrite to nothing': location('rewrite ^/a "";'),
  'rewrite to a question mark': location('rewrite ^/a ?;'),
  'rewrite with an unclosed variable': location('rewrite ^/a /${b;'),
  'set without a dollar': location('set a b;'),
  'set of nothing': location('set $ b;'),
  'set of a variable of nginx': location('set $host b;'),
  'set of a variable of nginx in another case': location('set $HOST b;'),
  'set of $query_string': location('set $query_string b;'),
  'set of $args': location('set $args b;'),
  'set of $limit_rate': location('set $limit_rate 10k;'),
  'set of $proxy_host': location('set $proxy_host x;'),
  'set of a capture': location('set $1 b;'),
  'set of a header': location('set $http_x b;'),
  'set with three arguments': location('set $a b c;'),
  'set in http': http('set $a b;'),
  'if without parentheses': location('if $host { }'),
  'if with nothing': location('if () { }'),
  'if with nothing, apart': location('if ( ) { }'),
  'if without the closing parenthesis': location('if ($host = a { }'),
  'if with the opening one alone': location('if ( { }'),
  'if without a dollar': location('if (host = a) { }'),
  'if with a dollar alone': location('if ($) { }'),
  'if with two words': location('if ($host =) { }'),
  'if with four words': location('if ($host = a b) { }'),
  'if with an unknown operator': location('if ($host == a) { }'),
  'if with an unknown operator, regex': location('if ($host =~ a) { }'),
  'if with a bad regex': location('if ($host ~ "(") { }'),
  'if with braces in a bare regex': location('if ($host ~ a{2}) { }'),
  'if with an unknown test': location('if (-z /a) { }'),
  'if with an unknown negated test': location('if (!-z /a) { }'),
  'if with a test without a path': location('if (-f) { }'),
  'if with a test of two paths': location('if (-f /a /b) { }'),
  'if with -F': location('if (-F /a) { }'),
  'if of a variable that is unknown': location('if ($nonsense) { }'),
  'if of a capture': location('if ($1 = a) { }'),
  'if in http': http('if ($host) { }'),
  'if within if': location('if ($host) { if ($args) { } }'),
  'location within if': server('if ($host) { location / { } }'),
  'proxy_pass in if in a server': server('if ($host) { proxy_pass http://127.0.0.1; }'),
  'proxy_pass with a URI in if': location('if ($host) { proxy_pass http://127.0.0.1/a; }'),
  'proxy_pass without a URI in if': location('if ($host) { proxy_pass http://127.0.0.1; }'),
  'proxy_set_header in if': location('if ($host) { proxy_set_header A b; }'),
  'add_header in if in a server': server('if ($host) { add_header A b; }'),
  'break with an argument': location('break now;'),
  'rewrite_log with nonsense': location('rewrite_log maybe;'),
  'return in http': http('return 200;'),
  'limit_except with an unknown method': location('limit_except FROB { }'),
  'limit_except in small letters': location('limit_except get { deny all; }'),
  'limit_except twice': location('limit_except GET { }\nlimit_except POST { }'),
  'limit_except in server': server('limit_except GET { }'),
  'limit_except without a method': location('limit_except { }'),
  'return in limit_except': location('limit_except GET { return 403; }'),
  'proxy_pass with a URI in limit_except': location('limit_except GET { proxy_pass http://127.0.0.1/a; }'),

  // map, geo, split_clients, valid_referers
  'map in server': server('map $host $a { }'),
  'map with one argument': http('map $host { }'),
  'map without a block': http('map $host $a;'),
  'map to a name without a dollar': http('map $host a { }'),
  'map to a variable of nginx': http('map $host $uri { }'),
  'map of a variable that is unknown': http('map $nonsense $a { }'),
  'map twice to the same': http('map $host $a { default 1; }\nmap $uri $a { default 2; }'),
  'map line with one word': http('map $host $a {\nb;\n}'),
  'map line with three words': http('map $host $a {\nb c d;\n}'),
  'map with two defaults': http('map $host $a {\ndefault 1;\ndefault 2;\n}'),
  'map with the same key twice': http('map $host $a {\nb 1;\nb 2;\n}'),
  'map with the same key in two cases': http('map $host $a {\nb 1;\nB 2;\n}'),
  'map with a bad regex': http('map $host $a {\n~( 1;\n}'),
  'map with a block in it': http('map $host $a {\nb { }\n}'),
  'map with a bad host name': http('map $host $a {\nhostnames;\na..b 1;\n}'),
  'map with two wildcards': http('map $host $a {\nhostnames;\n*.a.* 1;\n}'),
  'map with a star in the middle': http('map $host $a {\nhostnames;\na.*.b 1;\n}'),
  'map with conflicting wildcards': http('map $host $a {\nhostnames;\n.b 1;\n*.b 2;\n}'),
  'map with conflicting names': http('map $host $a {\nhostnames;\n.b.c 1;\nb.c 2;\n}'),
  'map with stars that are no host names': http('map $host $a {\n*.a.* 1;\n}'),
  'map with a file that is missing': http('map $host $a {\ninclude missing.map;\n}'),
  'map with include of two files': http('map $host $a {\ninclude a b;\n}'),
  'map with a bad value': http('map $host $a {\nb "${c";\n}'),
  'map value of an unknown variable': http('map $host $a {\nb $nonsense;\n}'),
  'set of a mapped variable': http('map $host $a { default 1; }\nserver { listen 127.0.0.1:8079; set $a 2; }'),
  'geo in server': server('geo $a { }'),
  'geo without a dollar': http('geo a { }'),
  'geo of a name without a dollar': http('geo remote_addr $a { }'),
  'geo to a name without a dollar': http('geo $remote_addr a { }'),
  'geo to a variable of nginx': http('geo $uri { }'),
  'geo with a bad network': http('geo $a {\n10.0.0.0/33 1;\n}'),
  'geo with a name': http('geo $a {\nexample.com 1;\n}'),
  'geo with low bits': http('geo $a {\n10.0.0.1/8 1;\n}'),
  'geo with a network twice': http('geo $a {\n10.0.0.0/8 1;\n10.0.0.0/8 2;\n}'),
  'geo that deletes nothing': http('geo $a {\n10.0.0.0/8 1;\ndelete 10.0.0.0/9;\n}'),
  'geo line with one word': http('geo $a {\n10.0.0.0/8;\n}'),
  'geo with ranges too late': http('geo $a {\n10.0.0.0/8 1;\nranges;\n}'),
  'geo with a network among ranges': http('geo $a {\nranges;\n10.0.0.0/8 1;\n}'),
  'geo with a range backwards': http('geo $a {\nranges;\n10.0.0.9-10.0.0.1 1;\n}'),
  'geo with a range to the very end': http('geo $a {\nranges;\n10.0.0.0-255.255.255.255 1;\n}'),
  'geo with a range twice': http('geo $a {\nranges;\n10.0.0.1-10.0.0.9 1;\n10.0.0.1-10.0.0.9 2;\n}'),
  'geo with ranges that overlap': http('geo $a {\nranges;\n10.0.0.1-10.0.0.9 1;\n10.0.0.5-10.0.0.12 2;\n}'),
  'geo with a range around another': http('geo $a {\nranges;\n10.0.0.5-10.0.0.6 1;\n10.0.0.1-10.0.0.12 2;\n}'),
  'geo that deletes no range': http('geo $a {\nranges;\n10.0.0.1-10.0.0.9 1;\ndelete 10.0.0.1-10.0.0.8;\n}'),
  'geo with two defaults in ranges': http('geo $a {\nranges;\ndefault 1;\ndefault 2;\n}'),
  'geo with a bad proxy': http('geo $a {\nproxy example.com;\n}'),
  'geo with a file that is missing': http('geo $a {\ninclude missing.geo;\n}'),
  'split_clients without a dollar': http('split_clients $host a { }'),
  'split_clients to a variable of nginx': http('split_clients $host $uri { }'),
  'split_clients of more than everything': http('split_clients $host $a {\n60% a;\n60% b;\n}'),
  'split_clients with everything twice': http('split_clients $host $a {\n* a;\n* b;\n}'),
  'split_clients without a percent sign': http('split_clients $host $a {\n60 a;\n}'),
  'split_clients of nothing': http('split_clients $host $a {\n0% a;\n}'),
  'split_clients with three decimals': http('split_clients $host $a {\n0.125% a;\n}'),
  'split_clients with decimals': http('split_clients $host $a {\n.5% a;\n33.33% b;\n1.% c;\n}'),
  'split_clients with a name': http('split_clients $host $a {\nmost% a;\n}'),
  'valid_referers in http': http('valid_referers none;'),
  'valid_referers of nothing': location('valid_referers "";'),
  'valid_referers with a bad wildcard': location('valid_referers *.a.*;'),
  'valid_referers with an empty regex': location('valid_referers ~;'),
  'valid_referers with a bad regex': location('valid_referers ~(;'),
  'valid_referers twice the same': location('valid_referers a.example a.example;'),
  'valid_referers none alone': location('valid_referers none;'),
  'valid_referers none with a regex': location('valid_referers none ~a;'),
  '$invalid_referer without valid_referers': location('return 200 $invalid_referer;'),
};

/** Where evenkeel says something else on purpose: a row of the README's table and what it says. */
const DIFFERENT: Readonly<Record<string, { text: string; because: DeliberateDifference; evenkeel: RegExp }>> = {
  'upstream name that does not resolve': {
    text: upstream('server nowhere.invalid;'),
    because: 'names that do not resolve',
    evenkeel: /^exit 0\nnginx: \[warn\] host not found in upstream "nowhere\.invalid"/,
  },
  'proxy_pass to a name that does not resolve': {
    text: location('proxy_pass http://nowhere.invalid;'),
    because: 'names that do not resolve',
    evenkeel: /^exit 0\nnginx: \[warn\] host not found in upstream "nowhere\.invalid"/,
  },
  'keepalive 0': {
    text: upstream('server 127.0.0.1;\nkeepalive 0;'),
    because: 'newer than the oracle',
    evenkeel: /^exit 0\n/,
  },
  // Idle connections are kept without being asked for: a method behind `keepalive` redefines nothing.
  'balancer after keepalive': {
    text: upstream('server 127.0.0.1;\nkeepalive 3;\nleast_conn;'),
    because: 'newer than the oracle',
    evenkeel: /^exit 0\n(?!.*redefined)/,
  },
  'several findings': {
    text: server('nonsense;\nlisten 80 fast;'),
    because: 'all findings',
    evenkeel:
      /^exit 1\nnginx: \[emerg\] unknown directive "nonsense" in .*\n(.*\n)*nginx: \[emerg\] invalid parameter "fast" in /,
  },
};

/** The place differs, the text has to be the same (deliberate difference 'place of findings'). */
const OTHER_PLACE = new Set([
  'unknown variable',
  'unknown variable in a log format',
  'proxy_buffers of one',
  'busy buffers too small',
  'busy buffers too large',
  'large_client_header_buffers too small',
  'zone without a size',
  'limit_req of a zone that nobody declared',
  'limit_req of an empty zone name',
  'limit_req_zone with an unknown variable',
  'limit_conn of a zone that nobody declared',
  'error_page of an unknown variable',
  'root of an unknown variable',
  'auth_basic of an unknown variable',
  'charset: server { charset a; source_charset b; }',
  'charset: server { charset $nothing; }',
  'charset: charset_map a b {} charset_map b c {} server { charset a; source_charset c; }',
  'charset: server { location / { if ($host) { charset a; source_charset b; } } }',
  'sub_filter of an unknown variable',
  'sub_filter for an unknown variable',
  'try_files of an unknown variable',
  'if of a variable that is unknown',
  'if of a capture',
  'map of a variable that is unknown',
  'map value of an unknown variable',
  'valid_referers none alone',
  'valid_referers none with a regex',
]);

const FILE = 'pid nginx.pid;\nerror_log error.log;\n';

describe.skipIf(oracleOrSkip('nginx -t') === undefined)('nginx -t', () => {
  for (const [title, text] of Object.entries(CONFIGURATIONS)) {
    it(title, async () => {
      const { nginx, evenkeel } = await both(text);
      if (process.env['EVENKEEL_SHOW'] === '1') console.log(`${title}\n${verdict(nginx)}`);
      const [expected, actual] = [verdict(nginx), verdict(evenkeel)];
      if (!OTHER_PLACE.has(title)) return expectSame(expected, actual);
      expectSame(withoutPlace(expected), withoutPlace(actual));
      if (!IS_ORACLE_ONLY) expect(actual, 'no longer differs').not.toBe(expected);
    });
  }

  for (const [title, { text, because, evenkeel: expected }] of Object.entries(DIFFERENT)) {
    it(`${title} (${because})`, async () => {
      const { nginx, evenkeel } = await both(text);
      if (IS_ORACLE_ONLY) return;
      expect(whole(evenkeel)).toMatch(expected);
      expect(whole(evenkeel), 'no longer differs').not.toBe(whole(nginx));
    });
  }
});

async function both(text: string): Promise<{ nginx: CommandResult; evenkeel: CommandResult }> {
  const command = { args: ['-c', 'nginx.conf', '-e', 'error.log', '-t'], files: { 'nginx.conf': `${FILE}${text}` } };
  const oracle = NGINX ?? EVENKEEL;
  const nginx = await runCommand(oracle, command);
  return { nginx, evenkeel: await runCommand(IS_ORACLE_ONLY ? oracle : EVENKEEL, command) };
}

function withoutPlace(text: string): string {
  return text.replaceAll(/ in %%DIR%%\/nginx\.conf:\d+/g, '').replaceAll(/^.* syntax is ok\n/gm, '');
}

function whole(result: CommandResult): string {
  return `exit ${result.code}\n${result.stderr}`;
}

/** nginx stops at its first finding, evenkeel goes on: of ours the first and the last line count. */
function verdict(result: CommandResult): string {
  const lines = result.stderr.split('\n').filter((line) => line !== '');
  const first = lines.findIndex((line) => line.includes('[emerg]'));
  const shown =
    first < 0 ? lines : [...lines.slice(0, first + 1), ...lines.filter((line, i) => i > first && !line.includes('['))];
  return [`exit ${result.code}`, ...shown, ...(result.stdout === '' ? [] : [`stdout: ${result.stdout}`])].join('\n');
}
