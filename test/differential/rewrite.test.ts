import { reply, replyAndClose } from '../support/scripted-backend.ts';
import { get, pipelined, post, request } from './client-script.ts';
import { compare } from './compare.ts';
import type { Stage } from './stage.ts';

const IN_LOCATIONS = `
  location = /seen { return 200 "uri=[$uri] args=[$args] request_uri=[$request_uri]"; }
  location /simple { rewrite ^/simple/(.*)$ /seen?from=$1 last; }
  location /args { rewrite ^ /seen last; }
  location /drop { rewrite ^ /seen? last; }
  location /replace { rewrite ^ /seen?a=b? last; }
  location /add { rewrite ^ /seen?a=b last; }
  location /odd { rewrite ^ /seen?? last; }
  location /twice { rewrite ^ /seen?a=1?b=2 last; }
  location /dollar-args { rewrite ^ /seen?$args&c=d? last; }
  location /quoted/ { rewrite ^/quoted/(.*)$ /seen?path=$1? last; }
  location /quoted-path/ { rewrite ^/quoted-path/(.*)$ /echo/$1 break; return 200 "never"; }
  location /no-flag { rewrite ^/no-flag/(.*) /second/$1; rewrite ^/second/(.*) /third/$1; return 200 "$uri"; }
  location /chain { rewrite ^/chain/(.*) /second/$1; rewrite ^/second/(.*) /seen?x=$1; }
  location /break-here { rewrite ^/break-here/(.*) /changed/$1 break; return 200 "never"; }
  location /break-word { set $a 1; break; return 200 "never"; }
  location /break-after { rewrite ^/break-after/(.*) /seen/$1; break; }
  location /none { rewrite ^/other /seen last; return 200 "none matched: $uri"; }
  location /redirect { rewrite ^/redirect/(.*) /to/$1 redirect; }
  location /permanent { rewrite ^/permanent/(.*) /to/$1 permanent; }
  location /relative { rewrite ^ to redirect; }
  location /url { rewrite ^/url/(.*) http://other.example/$1; }
  location /https { rewrite ^/https/(.*) https://other.example/$1 permanent; }
  location /scheme { rewrite ^/scheme/(.*) $scheme://other.example/$1; return 200 "never"; }
  location /url-break { rewrite ^/url-break/(.*) http://other.example/$1 break; }
  location /url-line/ { rewrite_log off; rewrite ^/url-line/(.*) http://other.example/$1; }
  location /url-args { rewrite ^ http://other.example/?a=b; }
  location /url-drop { rewrite ^ http://other.example/x? permanent; }
  location /url-uri/ { rewrite ^ http://other.example$uri permanent; }
  location /url-request-uri/ { rewrite ^ http://other.example$request_uri? permanent; }
  location /loop { rewrite ^ /loop last; }
  location /growing { rewrite ^(.*)$ $1x last; }
  location /empty { rewrite ^/empty(.*) $1 last; }
  location /capture { rewrite ^/capture/(?<first>[a-z]+)/(?<second>[a-z]+) /seen?$second=$first last; }
  location /optional { rewrite ^/optional(/a)?(/b)? /seen?1=$1&2=$2&3=$3 last; }
  location /failed-capture { rewrite ^/failed-capture/(.*) /middle/$1; rewrite ^/nothing(.*) /x; set $x "[$1]"; return 200 $x; }
  location /caseless { rewrite (?i)^/CASELESS /seen last; }
  location /internal-only { internal; return 200 "inside, $uri"; }
  location /to-internal { rewrite ^ /internal-only last; }
  location /to-nowhere { rewrite ^ /nowhere/at/all last; }
  location ~ ^/regex/(.*)$ { rewrite ^/regex/(.*)/(.*)$ /seen?r=$2 last; return 200 "location $1"; }
  location /set { set $one 1; set $two "$one-2"; set $one "$two!"; return 200 "$one $two"; }
  location /set-args { set $args "x=y"; return 200 "$args $arg_x $is_args $query_string"; }
  location /set-empty { set $e ""; return 200 "[$e]"; }
  location /set-quoted/ { set $q $uri; rewrite ^/set-quoted/(.*) /x/$1; set $r "$1"; return 200 "$q $r"; }
  location ~ ^/quoted-capture/(.*)$ { set $q $1; return 200 "$q | $1"; }
  location /uninitialized { return 200 "[$never_set]"; }
  location /uninitialized-quiet { uninitialized_variable_warn off; return 200 "[$never_set]"; }
  location /never { set $never_set x; }
  location /header-like { set $http_made up; return 200 "$http_made $http_x"; }
  location /header-unset { return 200 "[$http_made]"; }
  location /echo/ { return 200 "$uri"; }
`;

compare('rewrite', {
  http: `
    server {
      listen 127.0.0.1:%%PORT%%;
      server_name localhost;
      rewrite_log on;
      ${IN_LOCATIONS}
      location / { return 200 "root"; }
    }`,
  errorLevel: 'info',
  cases: {
    'last, with a capture': get('/simple/abc'),
    'last, path that does not match': get('/simple'),
    "the request's arguments are kept": get('/args?a=1&b=2'),
    'a question mark at the end drops them': get('/drop?a=1'),
    'arguments replaced': get('/replace?c=d'),
    'arguments in front of those that came': get('/add?c=d'),
    'arguments, none came': get('/add'),
    'two question marks at the end': get('/odd?x=y'),
    'a question mark within the arguments': get('/twice?c=3'),
    'arguments by a variable': get('/dollar-args?a=b'),
    'an escaped capture in the arguments': get('/quoted/a%20b%26c'),
    'a plus in the path': get('/quoted/a+b'),
    'a plain capture in the arguments': get('/quoted/a&b=c'),
    'an escaped capture in the path': get('/quoted-path/a%20b'),
    'without a flag the next one goes on': get('/no-flag/x'),
    'without a flag a location is chosen at the end': get('/chain/y'),
    'break stays in the location': get('/break-here/x'),
    'the break directive': get('/break-word'),
    'break behind a rewrite stays': get('/break-after/z'),
    'no match': get('/none'),
    'redirect to a path': get('/redirect/here?x=y'),
    'permanent redirect': get('/permanent/here'),
    'redirect to a relative path': get('/relative/here'),
    'a URL is a redirect': get('/url/page?x=y'),
    'a URL, permanent': get('/https/page'),
    'redirect with $scheme': get('/scheme/page'),
    'a URL with break': get('/url-break/page'),
    'redirect with arguments': get('/url-args?c=d'),
    'redirect that drops arguments': get('/url-drop?c=d'),
    'redirect of an escaped capture': get('/url/a%20b%3fc%25d%41'),
    'redirect of a capture with a line end': get('/url-line/a%0d%0aX:%20y'),
    'redirect of a capture with high bytes': get('/url/%c3%a9'),
    'redirect by $uri': get('/url-uri/a%20b'),
    'redirect by $request_uri': get('/url-request-uri/a%20b?c=%20'),
    'a cycle ends with 500': get('/loop'),
    'a growing path ends with 500': get('/growing'),
    'an empty path ends with 500': get('/empty'),
    'named captures': get('/capture/ab/cd'),
    'captures that took no part': get('/optional/b'),
    'a rewrite that fails forgets the captures': get('/failed-capture/x'),
    'a pattern that ignores case': get('/caseless'),
    'an internal location can be reached': get('/to-internal'),
    'an internal location by itself': get('/internal-only'),
    'a path with no location of its own': get('/to-nowhere'),
    "a rewrite replaces the location's captures": get('/regex/a/b'),
    'a rewrite that fails replaces them as well': get('/regex/a'),
    'set, in order': get('/set'),
    'set $args': get('/set-args?a=b'),
    'set to nothing': get('/set-empty'),
    'set with a variable and a capture': get('/set-quoted/a%20b+c'),
    'set with an escaped capture': get('/quoted-capture/a%20b+c'),
    'a variable that was never set': get('/uninitialized'),
    'a variable that was never set, quietly': get('/uninitialized-quiet'),
    'set of a name like a header': get('/header-like', { headers: ['X: y'] }),
    'a header of that name': get('/header-unset', { headers: ['Made: by hand'] }),
    HEAD: get('/redirect/here', { method: 'HEAD' }),
    'POST with a body': post('/simple/abc', 'body'),
  },
});

compare('rewrite in a server', {
  http: `
    server {
      listen 127.0.0.1:%%PORT%%;
      server_name localhost;
      rewrite ^/old/(.*)$ /new/$1;
      rewrite ^/last/(.*)$ /new/$1 last;
      rewrite ^/new/gone /gone/later last;
      rewrite ^/go/(.*)$ http://other.example/$1 permanent;
      rewrite ^/double/(.*)$ /old/$1;
      set $from_server "server";
      if ($arg_stop) { return 403; }
      if ($request_method = DELETE) { set $from_server "deleted"; rewrite ^ /new/deleted last; }
      if ($http_user_agent ~* "bot/(\\d+)") { set $from_server "bot $1"; }
      location /new/ { return 200 "new $uri $args $from_server"; }
      location /gone/ { return 410; }
      location / { return 200 "other $uri $from_server"; }
    }
    server {
      listen 127.0.0.1:%%PORT%%;
      server_name canonical.example;
      rewrite ^(.*)$ https://www.canonical.example$1 permanent;
    }
    server {
      listen 127.0.0.1:%%PORT%%;
      server_name always.example;
      return 301 https://$host$request_uri;
      location / { return 200 "never"; }
    }
    server {
      listen 127.0.0.1:%%PORT%%;
      server_name ~^(?<tenant>[a-z]+)\\.many\\.example$;
      set $who $tenant;
      rewrite ^/t/(.*)$ /tenants/$tenant/$1 last;
      location / { return 200 "$who $uri $1"; }
    }
    server {
      listen 127.0.0.1:%%PORT%%;
      server_name broken.example;
      rewrite ^/(.*)$ /app/$1 break;
      location /app/app/ { return 200 "twice"; }
      location /app/ { return 200 "once $uri"; }
    }`,
  cases: {
    'without a flag': get('/old/x?a=b'),
    last: get('/last/x'),
    'one after the other': get('/old/gone'),
    'last skips the others': get('/last/gone'),
    'a redirect': get('/go/there?a=b'),
    'if with return': get('/old/x?stop=1'),
    'if with a zero': get('/old/x?stop=0'),
    'if on the method': get('/whatever', { method: 'DELETE' }),
    'if with a regex': get('/whatever', { headers: ['User-Agent: Robot/42'] }),
    'if without the header': get('/whatever'),
    'a canonical host': get('/a/b?c=d', { host: 'canonical.example' }),
    'return in a server': get('/a/b?c=d', { host: 'always.example' }),
    'captures of the server name': get('/t/x', { host: 'acme.many.example' }),
    'captures of the server name, no rewrite': get('/x', { host: 'acme.many.example' }),
    break: get('/x', { host: 'broken.example' }),
  },
});

compare('rewrite and proxy_pass', {
  backends: { A: reply('A'), B: replyAndClose('B') },
  http: `
    server {
      listen 127.0.0.1:%%PORT%%;
      location /plain/ { rewrite ^/plain/(.*) /x/$1 break; proxy_pass http://%%A%%; }
      location /uri/ { rewrite ^/uri/(.*) /x/$1 break; proxy_pass http://%%A%%/base/; }
      location /unmatched/ { rewrite ^/none/(.*) /x/$1 break; proxy_pass http://%%A%%/base/; }
      location /then/ { rewrite ^/then/(.*) /with-uri/$1 last; }
      location /with-uri/ { proxy_pass http://%%A%%/base/; }
      location /break-word/ { rewrite ^/break-word/(.*) /y/$1; break; proxy_pass http://%%A%%/base/; }
      location /only-break/ { break; proxy_pass http://%%A%%/base/; }
      location /no-peer/ { set $peer ""; proxy_pass http://$peer/fixed?a=b; }
      location /bad-peer/ { set $peer "127.0.0.1:99999"; proxy_pass http://$peer$request_uri; }
      location /set-args/ { set $args "a=b"; proxy_pass http://%%A%%; }
      location /set-args-uri/ { set $args "a=b"; proxy_pass http://%%A%%/base/; }
      location /drop-args/ { rewrite ^ $uri? break; proxy_pass http://%%A%%; }
      location /variable/ { rewrite ^/variable/(.*) /v/$1 break; set $peer %%A%%; proxy_pass http://$peer; }
      location /variable-uri/ { set $peer %%A%%; rewrite ^/variable-uri/(.*) /v/$1 break; proxy_pass http://$peer/fixed?$args; }
      location /capture/ { rewrite ^/capture/(.*) /x/$1 break; proxy_pass http://%%A%%; proxy_set_header X-Captured $1; proxy_set_header Connection ""; }
      location /choose/ {
        set $peer %%A%%;
        if ($arg_b) { set $peer %%B%%; }
        proxy_pass http://$peer;
      }
      location /if/ {
        proxy_set_header X-Outer yes; proxy_set_header Connection "";
        if ($arg_b) { proxy_pass http://%%B%%; }
        proxy_pass http://%%A%%;
      }
      location /if-inherits/ {
        if ($arg_h) { add_header X-If yes; }
        proxy_pass http://%%A%%/inner/;
      }
      location /if-break/ {
        if ($arg_x) { rewrite ^/if-break/(.*) /broken/$1 break; }
        proxy_pass http://%%A%%/inner/;
      }
      location /host/ { set $h "set.example"; proxy_set_header Host $h; proxy_set_header Connection ""; proxy_set_header X-Unset $unset_before; proxy_pass http://%%A%%; }
      location /sets/ { set $unset_before 1; }
      location /limit/ { limit_except GET { deny all; } proxy_pass http://%%A%%/lim/; }
      location /limit-other/ { limit_except GET { proxy_pass http://%%B%%; } proxy_pass http://%%A%%/lim/; }
      location /limit-none/ { limit_except GET POST { allow all; } proxy_pass http://%%A%%/lim/; }
    }`,
  cases: {
    'break, no URI': get('/plain/a?b=c'),
    'break, escaped': get('/plain/a%20b%2Fc'),
    "break: proxy_pass's URI no longer counts": get('/uri/a?b=c'),
    'break that does not match: it does': get('/unmatched/a?b=c'),
    'last, then a URI': get('/then/a?b=c'),
    'last, then a URI, escaped': get('/then/a%20b'),
    'the break directive behind a rewrite': get('/break-word/a'),
    'the break directive alone': get('/only-break/a%20b'),
    'set $args': get('/set-args/a%20b?c=d'),
    'set $args, path that needs no escaping': get('/set-args/a"b?c=d'),
    'set $args with a URI': get('/set-args-uri/a?c=d'),
    'arguments dropped': get('/drop-args/a?c=d'),
    'a peer by variable': get('/variable/a?c=d'),
    'a URI by variable': get('/variable-uri/a?c=d'),
    'a peer by variable that is none': get('/no-peer/a'),
    'a peer by variable with a bad port': get('/bad-peer/a?b=c'),
    'a capture in a header': get('/capture/a'),
    'a peer by set': get('/choose/a'),
    'a peer by if and set': get('/choose/a?b=1'),
    'proxy_pass in if, taken': get('/if/a?b=1'),
    'proxy_pass in if, not taken': get('/if/a'),
    'if inherits proxy_pass with its URI': get('/if-inherits/a?h=1'),
    'if not taken': get('/if-inherits/a'),
    'rewrite in if': get('/if-break/a?x=1'),
    'rewrite in if, not taken': get('/if-break/a'),
    'headers by set': get('/host/a'),
    'limit_except, allowed': get('/limit/a'),
    'limit_except, HEAD goes with GET': get('/limit/a', { method: 'HEAD' }),
    'limit_except, denied': post('/limit/a', 'x'),
    'limit_except, another peer': post('/limit-other/a', 'x'),
    'limit_except, the same peer': get('/limit-other/a'),
    'limit_except that lets pass': get('/limit-none/a', { method: 'DELETE' }),
  },
});

/** How long the answer takes, in whole seconds. */
const timed =
  (target: string) =>
  async (stage: Stage): Promise<void> => {
    const begunAt = performance.now();
    await stage.play(get(target));
    stage.note(`${target} took ${Math.floor((performance.now() - begunAt + 100) / 1000)} s`);
  };

compare('set $limit_rate', {
  backends: { A: reply('x'.repeat(3500)) },
  http: `
    log_format rate '$request_uri $status $limit_rate';
    access_log access.log rate;
    server {
      listen 127.0.0.1:%%PORT%%;
      location /read { return 200 "$limit_rate"; }
      location /configured { limit_rate 10k; return 200 "$limit_rate"; }
      location /configured-proxied { limit_rate 10m; proxy_pass http://%%A%%; }
      location /set { limit_rate 10k; set $limit_rate 5k; return 200 "$limit_rate"; }
      location /nonsense { limit_rate 10k; set $limit_rate fast; return 200 "$limit_rate"; }
      location /slow { set $limit_rate $arg_rate; proxy_pass http://%%A%%; }
      location /freed { limit_rate 100; set $limit_rate 0; proxy_pass http://%%A%%; }
      location /by-if { if ($arg_slow) { set $limit_rate 1500; } proxy_pass http://%%A%%; }
      location /if-limit { if ($arg_slow) { limit_rate 1500; } proxy_pass http://%%A%%; }
    }`,
  cases: {
    'nothing said': get('/read'),
    'read where one is configured': get('/configured'),
    'logged where one is configured': get('/configured-proxied'),
    set: get('/set'),
    'set to nonsense': get('/nonsense'),
    'slows down': timed('/slow?rate=2000'),
    'does not where it is 0': timed('/slow?rate=0'),
    'takes the limit of the location away': timed('/freed'),
    'set in an if': timed('/by-if?slow=1'),
    'not set in an if': timed('/by-if'),
    'limit_rate in an if': timed('/if-limit?slow=1'),
  },
});

compare('rewrite, redirects and retries', {
  backends: { A: reply('A') },
  http: `
    server {
      listen 127.0.0.1:%%PORT%%;
      server_name first.example;
      rewrite ^/v1/(.*)$ /api/$1 break;
      location /api/ { proxy_pass http://%%A%%/base/; }
      location /exact/ { rewrite ^/exact/$ / break; proxy_pass http://%%A%%; }
      location ~ ^/regex/(\\d+)/(.*)$ { rewrite ^ /$1?rest=$2 break; proxy_pass http://%%A%%; }
      location ~ ^/again/(\\d+)$ { set $id $1; rewrite ^ /numbers?id=$id last; }
      location = /numbers { proxy_pass http://%%A%%; }
      location /nested/ {
        rewrite ^/nested/deep/(.*) /nested/other/$1 last;
        location /nested/deep/ { rewrite ^/nested/deep/(.*) /nested/other/$1 last; }
        location /nested/other/ { return 200 "other $uri"; }
      }
      location /slash/ { proxy_pass http://%%A%%; }
      location /to-slash { rewrite ^ /slash last; }
      location /body { rewrite ^ /body-size last; }
      location /body-size { client_max_body_size 2; return 200 "small"; }
      location /ten { rewrite "^/ten/(i{0,9})$" /ten/i$1 last; return 200 "$uri"; }
      location /eleven { rewrite "^/eleven/(i{0,10})$" /eleven/i$1 last; return 200 "$uri"; }
      location /query-only { rewrite ^ $uri?added=1; return 200 "$uri $args"; }
      location /high { rewrite ^/high/(.*)$ /seen/$1?x=$1 break; proxy_pass http://%%A%%; }
      location /raw/ { rewrite ^/raw/(.*)$ /seen/$1 break; proxy_pass http://%%A%%; }
      location /redirect-set { set $args "new=1"; rewrite ^ /to redirect; }
      location /absolute { absolute_redirect off; rewrite ^/absolute/(.*) /to/$1 permanent; }
      location /type.html { rewrite ^ /x.gif break; return 200 "never"; }
      location /typed.html { rewrite ^ /typed.gif; }
      location = /typed.gif { return 200 "typed"; }
    }`,
  cases: {
    "break in the server: proxy_pass's URI no longer counts": get('/v1/users?a=b'),
    'without it': get('/api/users?a=b'),
    'to the root': get('/exact/'),
    'captures of the location, not of a rewrite that has none': get('/regex/42/a/b'),
    'captures kept by set': get('/again/42'),
    'nested locations': get('/nested/deep/x'),
    'nested locations, redirected on the way': get('/nested/other/x'),
    'a location that wants its slash': get('/to-slash'),
    'a body too large for the new location': post('/body', 'abc'),
    'a body just right for it': post('/body', 'ab'),
    'ten rewrites': get('/ten/'),
    'eleven rewrites': get('/eleven/'),
    'the same path, more arguments': get('/query-only?a=b'),
    'high bytes in a path and in arguments': get('/high/%c3%a9%22%5c'),
    'bytes that need escaping, sent as they are': get('/raw/a"b^c|d'),
    'a redirect after set $args': get('/redirect-set?old=1'),
    'absolute_redirect off': get('/absolute/x'),
    'a type by the new path': get('/typed.html'),
    'break where nothing answers': get('/type.html'),
    'POST is sent on': post('/exact/', 'body'),
    pipelined: pipelined(request('/again/1', { keep: true }), request('/query-only', { keep: true })),
  },
});
