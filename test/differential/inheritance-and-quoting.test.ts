// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are nginx's variables
import { reply, replyAndClose } from '../support/scripted-backend.ts';
import { get, post, raw } from './client-script.ts';
import { compare } from './compare.ts';

compare('lists are inherited as a whole or not at all', {
  backends: {
    A: replyAndClose('x', '302 Found', {
      Location: 'http://one.example/x',
      'X-A': 'a',
      'X-B': 'b',
      'Set-Cookie': 'c=d; Domain=one.example; Path=/p',
    }),
    ILL: replyAndClose('ill', '503 Ill'),
    WELL: replyAndClose('well'),
  },
  http: `
    upstream pair { server %%ILL%% max_fails=0; server %%WELL%% max_fails=0; }
    log_format one 'one $uri'; log_format two 'two $uri'; log_format three 'three $uri';
    access_log one.log one;
    access_log two.log two;
    add_header X-Http http;
    proxy_redirect http://one.example/ /one/;
    proxy_redirect http://two.example/ /two/;
    proxy_hide_header X-A;
    proxy_cookie_domain one.example http.example;
    proxy_cookie_path /p /http;
    proxy_cookie_flags c httponly;
    proxy_next_upstream http_503;
    server {
      listen 127.0.0.1:%%PORT%%;
      deny 127.0.0.3;
      location / { proxy_pass http://%%A%%; }
      location /log { access_log three.log three; proxy_pass http://%%A%%; }
      location /redirect { proxy_redirect http://two.example/ /again/; proxy_pass http://%%A%%; }
      location /redirect-off { proxy_redirect off; proxy_pass http://%%A%%; }
      location /hide { proxy_hide_header X-B; proxy_pass http://%%A%%; }
      location /cookie { proxy_cookie_domain other other; proxy_cookie_flags d secure; proxy_pass http://%%A%%; }
      location /cookie-off { proxy_cookie_domain off; proxy_cookie_path off; proxy_cookie_flags off; proxy_pass http://%%A%%; }
      location /header { add_header X-Own own; proxy_pass http://%%A%%; }
      location /allow { deny 127.0.0.4; proxy_pass http://%%A%%; }
      location /next { proxy_pass http://pair; }
      location /next-own { proxy_next_upstream error; proxy_pass http://pair; }
      location /outer/ {
        proxy_set_header Connection "";
        proxy_set_header X-Outer outer;
        add_header X-Outer outer always;
        access_log three.log three;
        location /outer/one/ {
          proxy_pass http://%%A%%;
          location /outer/one/two/ { add_header X-Two two; proxy_pass http://%%A%%; }
          location /outer/one/three/ { proxy_set_header Connection ""; access_log off; proxy_pass http://%%A%%; }
        }
      }
    }`,
  cases: {
    'from http': get('/'),
    access_log: get('/log'),
    proxy_redirect: get('/redirect'),
    'proxy_redirect off': get('/redirect-off'),
    proxy_hide_header: get('/hide'),
    'proxy_cookie_…': get('/cookie'),
    'proxy_cookie_… off': get('/cookie-off'),
    add_header: get('/header'),
    'deny from the server': get('/', { from: '127.0.0.3' }),
    'deny of the location, not the server’s': get('/allow', { from: '127.0.0.3' }),
    'deny of the location': get('/allow', { from: '127.0.0.4' }),
    'proxy_next_upstream from http': get('/next'),
    'proxy_next_upstream of the location': get('/next-own'),
    'nested: all from outside': get('/outer/one/x'),
    'nested: add_header of its own': get('/outer/one/two/x'),
    'nested: proxy_set_header and access_log of its own': get('/outer/one/three/x'),
  },
});

compare('quoting, escapes and includes', {
  files: {
    'conf.d/b.conf': 'location /b { return 200 "b"; }\n',
    'conf.d/a.conf': 'location /a { include inner/*.inc; return 200 "a"; }\n# no newline at the end',
    'conf.d/.hidden.conf': 'nonsense;',
    'inner/1.inc': 'add_header X-1 1;',
    'inner/2.inc': 'add_header X-2 2;\n',
    'values.inc': 'return 200 "included in the middle";',
  },
  http: `
    include none/*.conf;
    server {
      listen 127.0.0.1:%%PORT%%;
      location /double { return 200 "a\\"b'c\\\\d\\te\\nf"; }
      location /single { return 200 'a"b\\'c\\\\d\\te'; }
      location /bare { return 200 a\\"b\\'c\\\\d; }
      location /blank { return 200 a\\ b\\;c\\{d; }
      location /variable { return 200 "\${request_method}x$request_method-$arg_a.\${arg_b}c"; }
      location /dollar { return 200 "$uri$args$is_args"; }
      location /lines { return 200 "one
two
  three"; }
      location "/quo ted" { return 200 "quoted name"; }
      location ~ "^/rx{2,3}$" { return 200 "braces in quotes"; }
      location ~ ^/esc\\.aped$ { return 200 "escaped dot"; }
      location ~ "(?i)^/FoLd(?<rest>.*)$" { return 200 "folded $rest"; }
      location ~ ^/(?x)#comment { return 200 "never"; }
      location ~ ^/poss(?>a+)b$ { return 200 "atomic"; }
      location ~ ^/a++b$ { return 200 "possessive"; }
      location ~ \\A/anchored\\z { return 200 "anchored"; }
      location ~ ^/posix[[:digit:]]+$ { return 200 "posix class"; }
      location ~ ^/q\\Q.*\\E$ { return 200 "quoted"; }
      location ~* ^/CASE(\\d+)(?:x|(y))$ { return 200 "[$1][$2]"; }
      location /#hash { return 200 "no comment within a word"; } # but this is
      location /middle { include values.inc; }
      include conf.d/*.conf;
      location / { return 404; }
    }`,
  cases: {
    'double quotes': get('/double'),
    'single quotes': get('/single'),
    bare: get('/bare'),
    'escaped blank, semicolon and brace': get('/blank'),
    'variables in braces': get('/variable?a=1&b=2'),
    'variables side by side': get('/dollar?x'),
    'several lines': get('/lines'),
    'a quoted name': get('/quo%20ted'),
    'braces in a quoted regex': get('/rxxx'),
    'an escaped dot': get('/escxaped'),
    'an escaped dot, matched': get('/esc.aped'),
    'an inline flag': get('/fOlD/Rest'),
    'an atomic group': get('/possaaab'),
    'a possessive quantifier': get('/aaab'),
    '\\A and \\z': get('/anchored'),
    '\\z and a line end': get('/anchored%0a'),
    '$ and a line end': get('/rxxx%0a'),
    'a POSIX class': get('/posix42'),
    '\\Q and \\E': get('/q.*'),
    'without case, captures': get('/case12Y'),
    'without case, a capture that took no part': get('/Case12X'),
    'a hash within a word': get('/%23hash'),
    'include within a location': get('/middle'),
    'include with a glob, in order': get('/a'),
    'include with a glob, the other': get('/b'),
    'nothing of a hidden file': get('/hidden'),
  },
});

compare('small things of the core', {
  backends: { A: (got) => (got.target === '/length' ? reply('abc') : 'HTTP/1.1 200 OK\r\n\r\nabc') },
  http: `
    server {
      listen 127.0.0.1:%%PORT%%;
      server_name "~^(?<user>[a-z]+)\\.(?P<zone>example|test)$" main.example;
      location / { return 200 "$server_name|$user|$zone|$1"; }
      location ~ ^/over/(?<user>.*)$ { return 200 "$user|$zone|$1"; }
      location /unchunked { chunked_transfer_encoding off; proxy_pass http://%%A%%/; }
      location /chunked { proxy_pass http://%%A%%/; }
      location /unchunked/length { chunked_transfer_encoding off; proxy_pass http://%%A%%/length; }
      location /padded { return 404; }
      location /unpadded { msie_padding off; return 404; }
      location /files { root %%DIR%%/none; }
      location /silent { log_not_found off; root %%DIR%%/none; }
      location /both { client_max_body_size 1; client_body_buffer_size 1k; return 200 "$request_body"; }
    }`,
  cases: {
    'server_name with captures': get('/', { host: 'joe.example' }),
    'server_name by (?P<…>)': get('/', { host: 'jane.test' }),
    'server_name without captures': get('/', { host: 'main.example' }),
    'captures of the location over those of the server': get('/over/it', { host: 'joe.example' }),
    'chunked_transfer_encoding off': get('/unchunked'),
    'chunked_transfer_encoding on': get('/chunked'),
    'chunked_transfer_encoding off, with a length': get('/unchunked/length'),
    msie_padding: get('/padded', { headers: ['User-Agent: Mozilla/4.0 (compatible; MSIE 6.0)'] }),
    'msie_padding off': get('/unpadded', { headers: ['User-Agent: Mozilla/4.0 (compatible; MSIE 6.0)'] }),
    'a missing file': get('/files/a%20b'),
    'a missing file, log_not_found off': get('/silent/x'),
    'a body that return does not read': post('/both', 'x'),
    'a lone LF after each line': raw('GET / HTTP/1.1\nHost: joe.example\nConnection: close\n\n'),
  },
});
