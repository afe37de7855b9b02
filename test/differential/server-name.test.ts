import { get, head, raw } from './client-script.ts';
import { compare } from './compare.ts';

compare('server_name', {
  http: `
    server { listen 127.0.0.1:%%PORT%% default_server; server_name _; return 200 "default, $server_name, $host"; }
    server { listen 127.0.0.1:%%PORT%%; server_name exact.example second.example; return 200 "exact, $server_name"; }
    server { listen 127.0.0.1:%%PORT%%; server_name *.wild.example; return 200 "leading, $server_name"; }
    server { listen 127.0.0.1:%%PORT%%; server_name *.sub.wild.example; return 200 "longer leading"; }
    server { listen 127.0.0.1:%%PORT%%; server_name trailing.*; return 200 "trailing, $server_name"; }
    server { listen 127.0.0.1:%%PORT%%; server_name trailing.one.*; return 200 "longer trailing"; }
    server { listen 127.0.0.1:%%PORT%%; server_name .dotted.example; return 200 "dotted, $server_name"; }
    server { listen 127.0.0.1:%%PORT%%; server_name ~^(?<user>\\w+)\\.people\\.example$; return 200 "regex $user"; }
    server { listen 127.0.0.1:%%PORT%%; server_name ~^www(\\d+)\\.example$; return 200 "numbered $1"; }
    server { listen 127.0.0.1:%%PORT%%; server_name ~^www1\\.example$; return 200 "never"; }
    server { listen 127.0.0.1:%%PORT%%; server_name both.wild.example; return 200 "exact before wildcard"; }
    server { listen 127.0.0.1:%%PORT%%; server_name ""; return 200 "no host, [$server_name]"; }
    server { listen 127.0.0.1:%%PORT_2%%; server_name first.example; return 200 "first of its address"; }
    server { listen 127.0.0.1:%%PORT_2%%; server_name other.example; return 200 "other"; }
    server { listen 127.0.0.1:%%PORT_2%%; server_name $hostname; return 200 "hostname"; }`,
  cases: {
    exact: get('/', { host: 'exact.example' }),
    'second name shows the first as $server_name': get('/', { host: 'second.example' }),
    'without case': get('/', { host: 'EXACT.Example' }),
    'with a port': get('/', { host: 'exact.example:1234' }),
    'with a trailing dot': get('/', { host: 'exact.example.' }),
    'leading wildcard': get('/', { host: 'a.wild.example' }),
    'leading wildcard takes several labels': get('/', { host: 'a.b.wild.example' }),
    'leading wildcard does not take the bare name': get('/', { host: 'wild.example' }),
    'longest leading wildcard': get('/', { host: 'a.sub.wild.example' }),
    'trailing wildcard': get('/', { host: 'trailing.org' }),
    'longest trailing wildcard': get('/', { host: 'trailing.one.org' }),
    'a leading dot takes the bare name': get('/', { host: 'dotted.example' }),
    'a leading dot takes names below': get('/', { host: 'x.dotted.example' }),
    'exact before wildcard': get('/', { host: 'both.wild.example' }),
    'regex with a named capture': get('/', { host: 'joe.people.example' }),
    'regex with a numbered capture': get('/', { host: 'www7.example' }),
    'first regex wins': get('/', { host: 'www1.example' }),
    'nothing matches: default server': get('/', { host: 'unknown.example' }),
    'host that is an address': get('/', { host: '127.0.0.1' }),
    'no host in HTTP/1.0': get('/', { host: null, version: '1.0' }),
    'empty host': get('/', { host: '' }),
    'an absolute URI wins over Host': raw(
      head('GET http://exact.example/ HTTP/1.1', 'Host: a.wild.example', 'Connection: close'),
    ),
    'an absolute URI with a port': raw(
      head('GET http://EXACT.example:99/x?y HTTP/1.1', 'Host: z', 'Connection: close'),
    ),
    'another address: its first server is the default': get('/', { host: 'exact.example', port: 'PORT_2' }),
    'another address: by name': get('/', { host: 'other.example', port: 'PORT_2' }),
  },
});
