import { get } from './client-script.ts';
import { compare } from './compare.ts';

compare('location', {
  http: `
    server {
      listen 127.0.0.1:%%PORT%%;
      location = / { return 200 "exactly /"; }
      location / { return 200 "any"; }
      location = /exact { return 200 "exact"; }
      location /exact { return 200 "prefix of exact"; }
      location /images/ { return 200 "images"; }
      location ^~ /images/static/ { return 200 "no regex here"; }
      location /images/deep/er/ { return 200 "longest prefix"; }
      location ~ \\.(gif|jpg)$ { return 200 "regex $1"; }
      location ~* \\.PNG$ { return 200 "regex without case"; }
      location ~ ^/first { return 200 "first regex"; }
      location ~ ^/first/second { return 200 "never"; }
      location ~ ^/named/(?<id>\\d+)$ { return 200 "id $id"; }
      location ~ ^/py/(?P<word>[a-z]+)$ { return 200 "word $word"; }
      location ~ (?i)^/inline { return 200 "inline flag"; }
      location ~ "^/two{2}$" { return 200 "quantifier"; }
      location ~ ^/un(set)?(tled)?$ { return 200 "[$1][$2]"; }
      location /outer/ {
        return 200 "outer";
        location /outer/inner/ {
          return 200 "inner";
          location ~ \\.txt$ { return 200 "innermost regex"; }
        }
        location = /outer/exact { return 200 "inner exact"; }
        location ~ /x(\\d)$ { return 200 "nested regex $1"; }
      }
      location ~ ^/rx/ {
        return 200 "rx";
        location ~ /deep$ { return 200 "rx deep"; }
      }
      location "/with space" { return 200 "space"; }
      location /caf\u00c3\u00a9 { return 200 "utf8"; }
      location /%41 { return 200 "percent is literal"; }
    }`,
  cases: {
    '= /': get('/'),
    '= / with arguments': get('/?a=/exact'),
    'prefix /': get('/other'),
    '= wins over prefix': get('/exact'),
    '= takes nothing longer': get('/exact/more'),
    'longest prefix': get('/images/deep/er/a'),
    'prefix before a longer one that does not match': get('/images/deep/'),
    'regex wins over prefix': get('/images/deep/er/a.gif'),
    '^~ keeps the regexes out': get('/images/static/a.gif'),
    'regex with case does not match upper case': get('/a.GIF'),
    'regex without case': get('/a.png'),
    'regexes in the order of the file': get('/first/second'),
    'regex with a named capture': get('/named/42'),
    'regex with (?P<name>)': get('/py/thon'),
    'regex with an inline flag': get('/INLINE/x'),
    'regex with a quantifier': get('/twoo'),
    'captures that took no part are empty': get('/un'),
    'captures of which one took part': get('/untled'),
    'nested prefix': get('/outer/inner/a'),
    'nested regex of the nested': get('/outer/inner/a.txt'),
    'nested regex': get('/outer/x5'),
    'nested exact': get('/outer/exact'),
    'outer itself': get('/outer/none'),
    'nested regexes come before the outer level\u2019s': get('/outer/x5.gif'),
    'outer regex where no nested one matches': get('/outer/a.gif'),
    'regex inside a regex': get('/rx/deep'),
    'regex without its inner': get('/rx/shallow'),
    'a space in the name': get('/with%20space'),
    'UTF-8 in the name': get('/caf%C3%A9'),
    'location names are not unescaped': get('/%2541'),
    'case matters in prefixes': get('/EXACT'),
    'matching looks at the normalised URI': get('/other/../exact'),
  },
});

compare('location without a catch-all', {
  http: `
    server {
      listen 127.0.0.1:%%PORT%%;
      location /a { return 200 "a"; }
      location /a/b { return 200 "a/b"; }
      location /ab { return 200 "ab"; }
      location ^~ /abc { return 200 "abc"; }
    }`,
  cases: {
    shortest: get('/a/c'),
    'a prefix is not a path segment': get('/abx'),
    '^~ longest': get('/abcd'),
    'prefix of the request only': get('/a'),
  },
});
