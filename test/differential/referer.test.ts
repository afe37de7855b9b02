import { type Connection, get } from './client-script.ts';
import { compare } from './compare.ts';

const from = (path: string, referer: string): Connection => get(path, { headers: [`Referer: ${referer}`] });

compare('valid_referers', {
  http: `
    server {
      listen 127.0.0.1:%%PORT%%;
      server_name www.own.example *.below.example .both.example trailing.* ~^re\\d+\\.example$;
      location /usual {
        valid_referers none blocked server_names *.friends.example friends.example/pages/ www.partner.* ~\\.google\\.;
        if ($invalid_referer) { return 403; }
        return 200 "in [$invalid_referer]";
      }
      location /strict { valid_referers friends.example; return 200 "[$invalid_referer]"; }
      location /none { valid_referers none friends.example; return 200 "[$invalid_referer]"; }
      location /blocked { valid_referers blocked friends.example; return 200 "[$invalid_referer]"; }
      location /regex { valid_referers ~^friends\\.example/(a|b); return 200 "[$invalid_referer]"; }
      location /outer {
        valid_referers friends.example;
        location /outer/inner { return 200 "[$invalid_referer]"; }
        location /outer/own { valid_referers other.example; return 200 "[$invalid_referer]"; }
      }
      location / { return 200 "[$invalid_referer]"; }
    }`,
  cases: {
    'no referrer, none': get('/usual'),
    'no referrer, not none': get('/strict'),
    'no referrer, none said': get('/none'),
    'an empty one': from('/usual', ''),
    'one that was blocked': from('/usual', 'XXXXXXXXXXXXXX'),
    'one that was blocked, not said': from('/strict', 'XXXXXXXXXXXXXX'),
    'one that was blocked, said': from('/blocked', 'XXXXXXXXXXXXXX'),
    'too short for a URL': from('/usual', 'http://a'),
    'too short, not said': from('/strict', 'http://a'),
    'the name of the server': from('/usual', 'http://www.own.example/page'),
    'a name below': from('/usual', 'https://a.below.example/'),
    'the name above': from('/usual', 'https://below.example/'),
    'a dot, itself': from('/usual', 'https://both.example/'),
    'a dot, below': from('/usual', 'https://x.both.example/'),
    'a trailing star': from('/usual', 'https://trailing.any/'),
    'a regex name': from('/usual', 'https://re42.example/'),
    'a friend below': from('/usual', 'http://a.friends.example/'),
    'a friend with the right path': from('/usual', 'http://friends.example/pages/1'),
    'a friend with another path': from('/usual', 'http://friends.example/other'),
    'a friend without a path': from('/usual', 'http://friends.example'),
    'a friend with a port': from('/usual', 'http://friends.example:8080/pages/1'),
    'a friend with capitals': from('/usual', 'HTTP://FRIENDS.example/pages/1'),
    'a partner': from('/usual', 'https://www.partner.co.uk/'),
    'a regex': from('/usual', 'https://images.google.com/x'),
    'a stranger': from('/usual', 'http://stranger.example/'),
    'a stranger with a friend in the path': from('/usual', 'http://stranger.example/friends.example/'),
    ftp: from('/usual', 'ftp://friends.example/pages/'),
    'a regex for host and path': from('/regex', 'http://friends.example/abc'),
    'a regex for host and path, other': from('/regex', 'http://friends.example/c'),
    'a very long host': from('/usual', `http://${'a'.repeat(300)}.friends.example/`),
    'inherited, valid': from('/outer/inner', 'http://friends.example/'),
    'inherited, invalid': from('/outer/inner', 'http://other.example/'),
    'of its own': from('/outer/own', 'http://other.example/'),
    'nothing said': from('/', 'http://stranger.example/'),
  },
});
