import { reply } from '../support/scripted-backend.ts';
import { get } from './client-script.ts';
import { compare } from './compare.ts';

compare('map', {
  backends: { A: reply('A'), B: reply('B') },
  files: { 'more.map': 'included "from a file";\n~^inc-(\\w+)$ "file $1";\n' },
  http: `
    map $arg_v $plain { default "none"; a "letter a"; B "letter b"; "" "empty"; "two words" yes; \\default word; \\~x tilde; }
    map $arg_v $no_default { a "letter a"; }
    map $arg_v $regex {
      default "none";
      exact "exact first";
      ~^ex "regex second";
      ~^(?<first>[a-z]+)-(?<second>[a-z]+)$ "$second-$first";
      ~*^NUM(\\d+)$ "number $1";
      "~^quoted {1}" "quoted";
    }
    map $http_host $host_class {
      hostnames;
      default "other";
      example.com "exact";
      .example.org "org and below";
      *.example.net "below net";
      www.example.* "www of any";
      ~^re\\d "regex";
      *.deep.example.net "deeper";
    }
    map "$request_method:$arg_v" $combined { "GET:a" "get a"; "POST:a" "post a"; ~^HEAD: "head"; default "$request_method $uri"; }
    map $plain $of_a_map { "letter a" "map of map"; default $regex; }
    map $later $before { "from later" "it came"; default "[$later]"; }
    map $arg_v $later { l "from later"; }
    map $arg_v $included { include %%DIR%%/more.map; default "not included"; }
    map $uri $volatile { volatile; ~^/(\\w+) "$1"; }
    map $uri $cached { ~^/(\\w+) "$1"; }
    map $http_upgrade $connection_upgrade { default upgrade; "" close; }
    map $arg_v $backend { b %%B%%; default %%A%%; }
    map $arg_v $loop_a { default $loop_b; }
    map $arg_v $loop_b { default $loop_a; }
    map $status $loggable { ~^2 0; default 1; }
    map $arg_v $settable { default "mapped"; }
    map $arg_v $values { a $arg_w; b "\${arg_w}-\${arg_w}"; c $http_none; }
    access_log access.log seen if=$loggable;
    server {
      listen 127.0.0.1:%%PORT%%;
      location = /plain { return 200 "$plain"; }
      location = /no-default { return 200 "[$no_default]"; }
      location = /regex { return 200 "$regex"; }
      location = /captures { return 200 "$regex|$1|$2|$first|$second"; }
      location = /hosts { return 200 "$host_class"; }
      location = /combined { return 200 "$combined"; }
      location = /map-of-map { return 200 "$of_a_map"; }
      location = /before { return 200 "$before"; }
      location = /included { return 200 "$included"; }
      location /volatile { set $x $volatile; set $y $cached; rewrite ^ /changed; return 200 "$x $volatile $y $cached"; }
      location = /loop { return 200 "[$loop_a]"; }
      location = /settable { set $settable "set"; return 200 "$settable"; }
      location = /unset { return 200 "$settable"; }
      location = /values { return 200 "[$values]"; }
      location = /fail { return 404; }
      location = /if { if ($plain = "letter a") { return 200 "taken"; } return 200 "not taken"; }
      location = /upgrade { proxy_set_header Connection $connection_upgrade; proxy_pass http://%%A%%; }
      location = /backend { proxy_pass http://$backend; }
    }`,
  cases: {
    'a key': get('/plain?v=a'),
    'a key in another case': get('/plain?v=A'),
    'a key with a capital': get('/plain?v=b'),
    'the empty key': get('/plain'),
    default: get('/plain?v=zzz'),
    'a key called default': get('/plain?v=default'),
    'a key with a tilde': get('/plain?v=~x'),
    'without default': get('/no-default?v=zzz'),
    'exact before regex': get('/regex?v=exact'),
    'exact in another case before regex': get('/regex?v=EXACT'),
    'regexes in their order': get('/regex?v=example'),
    'a regex with named captures': get('/regex?v=left-right'),
    'a regex is about case': get('/regex?v=LEFT-RIGHT'),
    'a regex that is not': get('/regex?v=num42'),
    'no regex for nothing': get('/regex'),
    'captures stay': get('/captures?v=left-right'),
    'an exact host': get('/hosts', { host: 'example.com' }),
    'a host in another case': get('/hosts', { host: 'EXAMPLE.com' }),
    'a host with a closing dot': get('/hosts', { host: 'example.com.' }),
    'a host with a port': get('/hosts', { host: 'example.com:80' }),
    'a leading dot, itself': get('/hosts', { host: 'example.org' }),
    'a leading dot, below': get('/hosts', { host: 'a.b.example.org' }),
    'a leading star, itself': get('/hosts', { host: 'example.net' }),
    'a leading star, below': get('/hosts', { host: 'a.example.net' }),
    'the longest leading star': get('/hosts', { host: 'a.deep.example.net' }),
    'a trailing star': get('/hosts', { host: 'www.example.xyz' }),
    'a trailing star, two labels': get('/hosts', { host: 'www.example.co.uk' }),
    'a regex among hosts': get('/hosts', { host: 're5.test' }),
    'another host': get('/hosts', { host: 'unknown.test' }),
    'a source of two variables': get('/combined?v=a'),
    'the same, another method': get('/combined?v=a', { method: 'POST' }),
    'variables in the default': get('/combined?v=b'),
    'a map of a map': get('/map-of-map?v=a'),
    'a map of a map, by default': get('/map-of-map?v=num7'),
    'a map that comes later': get('/before?v=l'),
    'an included key': get('/included?v=included'),
    'an included regex': get('/included?v=inc-this'),
    'not included': get('/included?v=other'),
    'volatile and not': get('/volatile'),
    'a cycle of maps': {
      act: get('/loop'),
      without: { 'error log': 'which variable is one too deep hangs on how they are counted' },
    },
    'set wins': get('/settable'),
    'not set': get('/unset'),
    'a value of a variable': get('/values?v=a&w=1'),
    'a value of a text with variables': get('/values?v=b&w=1'),
    'a value of nothing': get('/values?v=c'),
    'in an if': get('/if?v=a'),
    'a line that is logged': get('/fail'),
    'Connection by Upgrade, none': get('/upgrade'),
    'a peer by map': get('/backend?v=b'),
    'a peer by default': get('/backend'),
  },
});

compare('split_clients', {
  http: `
    split_clients "$arg_v" $half { 50% "first"; * "second"; }
    split_clients "$arg_v$arg_w" $three { 33.3% "a"; 33.3% "b"; 33.4% "c"; }
    split_clients "\${remote_addr}AAA" $client { 0.5% ".one"; 2.0% ".two"; * ""; }
    split_clients $arg_v $little { 0.01% "rare"; 10% "ten"; }
    server {
      listen 127.0.0.1:%%PORT%%;
      location / { return 200 "$half $three [$client] [$little]"; }
    }`,
  cases: Object.fromEntries([
    ...['', 'a', 'ab', 'abc', 'abcd', 'abcde', '0123456789abcdef', '%ff%fe', 'user-7'].map((v) => [
      `by "${v}"`,
      get(`/?v=${v}&w=x`),
    ]),
    [
      'two hundred strings',
      {
        act: Array.from({ length: 200 }, (_, i) => get(`/?v=session-${i * 7919}`)),
        isBrief: true,
      },
    ],
    ['by address', { act: [get('/'), get('/', { from: '127.0.0.2' }), get('/', { from: '127.0.0.3' })] }],
  ]),
});
