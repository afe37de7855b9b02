import { get, post } from './client-script.ts';
import { compare } from './compare.ts';

const truth = (condition: string): string => `{ set $r no; if (${condition}) { set $r yes; } return 200 $r; }`;

compare('if', {
  files: { 'site/file.txt': 'text', 'site/folder/inner': 'x' },
  http: `
    log_format chosen '$uri $status chosen';
    server {
      listen 127.0.0.1:%%PORT%%;
      server_name localhost;
      root %%DIR%%/site;
      location = /set ${truth('$arg_v')}
      location = /equal ${truth('$arg_v = yes')}
      location = /equal-nothing ${truth('$arg_v = ""')}
      location = /not-equal ${truth('$arg_v != yes')}
      location = /equal-variable ${truth('$arg_v = $arg_w')}
      location = /match ${truth('$arg_v ~ ^a(b+)c$')}
      location = /match-caseless ${truth('$arg_v ~* ^a(b+)c$')}
      location = /no-match ${truth('$arg_v !~ ^a')}
      location = /no-match-caseless ${truth('$arg_v !~* ^a')}
      location = /spaces ${truth(' $arg_v = yes ')}
      location = /quotes ${truth('$arg_v ~ "^a{2}$"')}
      location = /method ${truth('$request_method = POST')}
      location = /header ${truth('$http_x_flag')}
      location = /cookie ${truth('$http_cookie ~* "(^|; )id=([^;]+)"')}
      location /file ${truth('-f %%DIR%%/site/$arg_v')}
      location /directory ${truth('-d %%DIR%%/site/$arg_v')}
      location /exists ${truth('-e %%DIR%%/site/$arg_v')}
      location /executable ${truth('-x %%DIR%%/site/$arg_v')}
      location /no-file ${truth('!-f %%DIR%%/site/$arg_v')}
      location /no-directory ${truth('!-d %%DIR%%/site/$arg_v')}
      location /not-there ${truth('!-e %%DIR%%/site/$arg_v')}
      location /not-executable ${truth('!-x %%DIR%%/site/$arg_v')}
      location = /capture { if ($arg_v ~ ^(?<head>.)(.*)$) { return 200 "$head $1 $2"; } return 200 "none [$1]"; }
      location = /capture-later { if ($arg_v ~ ^(.)(.*)$) { set $c "[$2]"; } return 200 "$c $1"; }
      location = /both { set $r ""; if ($arg_a) { set $r "\${r}a"; } if ($arg_b) { set $r "\${r}b"; } return 200 "<$r>"; }
      location = /break { if ($arg_a) { break; } return 200 "behind"; }
      location = /redirect { if ($arg_a) { rewrite ^ /elsewhere permanent; } return 200 "here"; }
      location = /last { if ($arg_a) { rewrite ^ /landed last; } return 200 "here"; }
      location = /landed { return 200 "landed $args"; }
      location = /headers { add_header X-Outer outer; if ($arg_a) { add_header X-If if; return 200 "in"; } return 200 "out"; }
      location = /headers-later { add_header X-Outer outer; if ($arg_a) { add_header X-If if; } return 200 "x"; }
      location = /two { if ($arg_a) { add_header X-A a; } if ($arg_b) { add_header X-B b; } return 200 "x"; }
      location = /inherits { add_header X-Outer outer; if ($arg_a) { set $x 1; } return 200 "x"; }
      location = /log { if ($arg_a) { access_log %%DIR%%/chosen.log chosen; return 200 "in"; } return 200 "out"; }
      location = /log-off { if ($arg_a) { access_log off; } return 200 "x"; }
      location = /log-notes { rewrite_log on; if ($arg_a ~ ^b) { set $x 1; } if ($arg_a !~ ^b) { set $x 2; } return 200 $x; }
      location = /keepalive { keepalive_timeout 0; if ($arg_a) { return 200 "in"; } return 200 "out"; }
      location = /limited { limit_except GET { deny all; } if ($arg_a) { return 402; } return 200 "x"; }
      location = /unlimited { limit_except GET POST { deny all; } return 200 "x"; }
      location = /denied { deny all; if ($arg_a) { set $x 1; } }
      location = /denied-return { deny all; return 200 "x"; }
      location /missing { if ($arg_a) { root %%DIR%%/other; } }
      location / { return 200 "root"; }
    }`,
  cases: {
    'a variable, empty': get('/set'),
    'a variable, 0': get('/set?v=0'),
    'a variable, 00': get('/set?v=00'),
    'a variable, a word': get('/set?v=false'),
    'equal, yes': get('/equal?v=yes'),
    'equal, other case': get('/equal?v=YES'),
    'equal to nothing': get('/equal-nothing'),
    'not equal': get('/not-equal?v=no'),
    'not equal, same': get('/not-equal?v=yes'),
    'equal to a variable': get('/equal-variable?v=1&w=1'),
    'not equal to a variable': get('/equal-variable?v=1&w=2'),
    match: get('/match?v=abbc'),
    'match, other case': get('/match?v=ABC'),
    'match without case': get('/match-caseless?v=ABC'),
    'no match, matching': get('/no-match?v=abc'),
    'no match': get('/no-match?v=xyz'),
    'no match without case, matching': get('/no-match-caseless?v=Abc'),
    'no match without case': get('/no-match-caseless?v=xyz'),
    'spaces in the parentheses': get('/spaces?v=yes'),
    'quotes around the pattern': get('/quotes?v=aa'),
    method: post('/method', 'x'),
    'a header': get('/header', { headers: ['X-Flag: on'] }),
    'a header that is not there': get('/header'),
    'a cookie': get('/cookie', { headers: ['Cookie: a=b; id=7'] }),
    '-f of a file': get('/file?v=file.txt'),
    '-f of a folder': get('/file?v=folder'),
    '-f of nothing': get('/file?v=nothing'),
    '-f below a file': get('/file?v=file.txt/x'),
    '-d of a folder': get('/directory?v=folder'),
    '-d of a file': get('/directory?v=file.txt'),
    '-e of a file': get('/exists?v=file.txt'),
    '-e of a folder': get('/exists?v=folder'),
    '-e of nothing': get('/exists?v=nothing'),
    '-x of a folder': get('/executable?v=folder'),
    '-x of a file': get('/executable?v=file.txt'),
    '!-f of a file': get('/no-file?v=file.txt'),
    '!-f of nothing': get('/no-file?v=nothing'),
    '!-d of a folder': get('/no-directory?v=folder'),
    '!-e of nothing': get('/not-there?v=nothing'),
    '!-x of a file': get('/not-executable?v=file.txt'),
    'captures in return': get('/capture?v=abc'),
    'captures of what did not match': get('/capture'),
    'captures outlive the if': get('/capture-later?v=abc'),
    'captures of an if that failed': get('/capture-later'),
    'two ifs, both': get('/both?a=1&b=1'),
    'two ifs, one': get('/both?b=1'),
    'two ifs, none': get('/both'),
    'break ends the outer block too': get('/break?a=1'),
    'break not reached': get('/break'),
    'a redirect': get('/redirect?a=1'),
    last: get('/last?a=1'),
    'last not reached': get('/last'),
    'add_header in if': get('/headers?a=1'),
    'add_header beside if': get('/headers'),
    'what holds in if holds behind it': get('/headers-later?a=1'),
    'of two ifs the last counts': get('/two?a=1&b=1'),
    'of two ifs the first, alone': get('/two?a=1'),
    'if without headers inherits them': get('/inherits?a=1'),
    'access_log in if': get('/log?a=1'),
    'access_log off in if': get('/log-off?a=1'),
    'rewrite_log tells of conditions': get('/log-notes?a=b'),
    'rewrite_log tells of what did not match': get('/log-notes?a=c'),
    'keepalive_timeout 0': get('/keepalive?a=1', { keep: true }),
    'limit_except keeps rewrite directives from running': post('/limited?a=1', ''),
    'limit_except, allowed': get('/limited?a=1'),
    'limit_except, another method': get('/unlimited', { method: 'PUT' }),
    'limit_except, unknown method': get('/unlimited', { method: 'FROB' }),
    'deny holds in if': get('/denied?a=1'),
    'return comes before deny': get('/denied-return'),
    'a root of its own': get('/missing/x?a=1'),
    'the root of the location': get('/missing/x'),
  },
});
