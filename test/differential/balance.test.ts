import { replyAndClose } from '../support/scripted-backend.ts';
import { type Connection, get, times } from './client-script.ts';
import { type Case, compare } from './compare.ts';
import type { Stage } from './stage.ts';

const named = Object.fromEntries('ABCDE'.split('').map((name) => [name, replyAndClose(name)]));

/** One group, one upstream; the answers name the peer. */
function sequence(title: string, upstream: string, cases: Readonly<Record<string, Case>>, location = ''): void {
  compare(title, {
    backends: named,
    errorLevel: 'warn',
    http: `
      upstream u { ${upstream} }
      server { listen 127.0.0.1:%%PORT%%; location / { proxy_pass http://u; ${location} } }`,
    cases,
  });
}

const brief = (act: readonly Connection[]): Case => ({ act, isBrief: true });
const plain = (count: number) => brief(times(count, get('/')));

sequence('round robin of three', 'server %%A%%; server %%B%%; server %%C%%;', { 'in turn': plain(7) });
sequence('round robin with weights 5, 1, 1', 'server %%A%% weight=5; server %%B%%; server %%C%%;', {
  smooth: plain(14),
});
sequence(
  'round robin with weights 4, 3, 2, 1',
  'server %%A%% weight=4; server %%B%% weight=3; server %%C%% weight=2; server %%D%%;',
  { smooth: plain(20) },
);
sequence('round robin with equal weights above 1', 'server %%A%% weight=7; server %%B%% weight=7;', {
  'in turn': plain(6),
});
sequence('round robin with one down', 'server %%A%%; server %%B%% down; server %%C%%;', { 'is left out': plain(5) });
sequence('round robin with backup', 'server %%A%%; server %%B%%; server %%C%% backup;', {
  'backup is not used': plain(5),
});
sequence('primaries down', 'server %%A%% down; server %%B%% backup; server %%C%% backup weight=2;', {
  'backups by weight': plain(6),
});
sequence('the same address twice', 'server %%A%%; server %%A%%; server %%B%%;', { 'counts as two': plain(6) });
sequence('all down', 'server %%A%% down; server %%B%% down;', { '502': plain(2), 'with headers': get('/') });
sequence('a single peer', 'server %%A%%;', { 'all the same': plain(2) });
sequence('a single peer that refuses', 'server 127.0.0.1:%%DEAD%%;', {
  'is tried each time': plain(3),
  'with headers': get('/'),
});
sequence('a refusing peer among good ones', 'server %%A%%; server 127.0.0.1:%%DEAD%%; server %%B%%;', {
  'is left out after its first failure': plain(8),
});
sequence('a refusing peer with max_fails=0', 'server %%A%%; server 127.0.0.1:%%DEAD%% max_fails=0; server %%B%%;', {
  'is tried each time': plain(8),
});
sequence('a refusing peer with max_fails=3', 'server %%A%%; server 127.0.0.1:%%DEAD%% max_fails=3;', {
  'is left out after three failures': plain(10),
});
sequence(
  'a refusing peer with a weight',
  'server %%A%%; server 127.0.0.1:%%DEAD%% weight=3 max_fails=2; server %%B%% weight=2;',
  { 'loses weight': plain(12) },
);
sequence(
  'a refusing peer without a next',
  'server %%A%%; server 127.0.0.1:%%DEAD%% max_fails=2;',
  { 'fails visibly, twice': plain(8) },
  'proxy_next_upstream off;',
);
sequence('all refuse', 'server 127.0.0.1:%%DEAD%%; server 127.0.0.1:%%DEAD_2%%;', {
  'no live upstreams, and again': plain(5),
});
sequence('all refuse, with backup', 'server 127.0.0.1:%%DEAD%%; server 127.0.0.1:%%DEAD_2%%; server %%A%% backup;', {
  'backup takes over': plain(4),
});
sequence('a refusing peer comes back', 'server %%A%%; server 127.0.0.1:%%DEAD%% fail_timeout=1s;', {
  'one trial after fail_timeout': {
    isBrief: true,
    act: async (stage: Stage) => {
      for (let i = 0; i < 4; i++) await stage.play(get('/'));
      await new Promise((resolve) => setTimeout(resolve, 2200));
      for (let i = 0; i < 4; i++) await stage.play(get('/'));
    },
  },
});

/** So many requests at the same time: each is sent when the one before has arrived at a backend that keeps it waiting. */
function overlapping(count: number, target = '/hold'): (stage: Stage) => Promise<void> {
  return async (stage) => {
    const arrived = () => [...stage.backends.values()].reduce((sum, backend) => sum + backend.requests.length, 0);
    const played: Promise<unknown>[] = [];
    for (let i = 0; i < count; i++) {
      played.push(stage.play(get(target)));
      const until = performance.now() + 300;
      while (arrived() <= i && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await Promise.all(played);
  };
}

/** Backends that answer after 500 ms, or at once below /now. */
const holding = Object.fromEntries(
  'ABC'
    .split('')
    .map((name) => [
      name,
      (got: { target: string }) => (got.target === '/hold' ? [500, replyAndClose(name)] : replyAndClose(name)),
    ]),
);

function held(title: string, upstream: string, count: number): void {
  compare(title, {
    backends: holding,
    errorLevel: 'warn',
    http: `
      upstream u { ${upstream} }
      server { listen 127.0.0.1:%%PORT%%; location / { proxy_pass http://u; } }`,
    cases: {
      [`${count} at the same time`]: {
        act: overlapping(count),
        isBrief: true,
        without: { 'access log': 'requests end in no particular order' },
      },
    },
  });
}

held('least_conn', 'least_conn; server %%A%%; server %%B%%; server %%C%%;', 7);
held('least_conn with weights', 'least_conn; server %%A%% weight=3; server %%B%%; server %%C%% weight=2;', 9);
held('least_conn with a peer down', 'least_conn; server %%A%%; server %%B%% down; server %%C%%;', 5);
held('max_conns', 'server %%A%% max_conns=1; server %%B%% max_conns=2;', 4);
held('max_conns with backup', 'server %%A%% max_conns=1; server %%B%% backup;', 3);
held('max_conns with least_conn', 'least_conn; server %%A%% max_conns=1; server %%B%%;', 4);

sequence('least_conn, one after the other', 'least_conn; server %%A%%; server %%B%%; server %%C%%;', {
  'ties by round robin': plain(7),
});
sequence('least_conn with weights, one after the other', 'least_conn; server %%A%% weight=3; server %%B%%;', {
  'ties by weight': plain(8),
});
sequence('least_conn with a refusing peer', 'least_conn; server 127.0.0.1:%%DEAD%%; server %%A%%; server %%B%%;', {
  'goes on': plain(5),
});

const clients = [
  '127.0.0.1',
  '127.0.1.1',
  '127.0.2.1',
  '127.1.0.1',
  '127.2.3.4',
  '127.2.3.99',
  '127.99.1.2',
  '127.200.7.1',
  '127.31.33.7',
  '127.77.5.5',
];
const fromClients = brief(clients.map((from) => get('/', { from })));

sequence('ip_hash', 'ip_hash; server %%A%%; server %%B%%; server %%C%%;', {
  'by the first three octets': fromClients,
  'the same again': fromClients,
});
sequence('ip_hash with weights', 'ip_hash; server %%A%% weight=3; server %%B%%; server %%C%% weight=2;', {
  'by weight': fromClients,
});
sequence('ip_hash with a peer down', 'ip_hash; server %%A%%; server %%B%% down; server %%C%%;', {
  'others keep theirs': fromClients,
});
sequence('ip_hash with a refusing peer', 'ip_hash; server %%A%%; server 127.0.0.1:%%DEAD%%; server %%C%%;', {
  'goes to the next hash': fromClients,
});

const keys = Array.from({ length: 24 }, (_, i) => get(`/key-${i * 7}`));

sequence('hash', 'hash $uri; server %%A%%; server %%B%%; server %%C%%;', { 'by crc32': brief(keys) });
sequence('hash with weights', 'hash $uri; server %%A%% weight=3; server %%B%%; server %%C%% weight=2;', {
  'by weight': brief(keys),
});
sequence('hash with a peer down', 'hash $uri; server %%A%%; server %%B%% down; server %%C%%;', {
  rehashes: brief(keys),
});
sequence('hash with a refusing peer', 'hash $uri; server %%A%%; server 127.0.0.1:%%DEAD%%; server %%C%%;', {
  rehashes: brief(keys.slice(0, 12)),
});
sequence('hash of an empty key', 'hash $arg_none; server %%A%%; server %%B%%;', { 'is a key like others': plain(3) });
sequence('hash of several variables', 'hash $arg_a$request_uri; server %%A%%; server %%B%%; server %%C%%;', {
  joined: brief(keys.slice(0, 8)),
});
sequence('hash consistent', 'hash $uri consistent; server %%A%%; server %%B%%; server %%C%%;', {
  'on the ring': brief(keys),
});
sequence(
  'hash consistent with weights',
  'hash $uri consistent; server %%A%% weight=3; server %%B%%; server %%C%% weight=2;',
  { 'on the ring': brief(keys) },
);
sequence('hash consistent with a peer down', 'hash $uri consistent; server %%A%%; server %%B%% down; server %%C%%;', {
  'only its keys move': brief(keys),
});

/** Which one is drawn is chance; that it is one of them, and none that is down, is not. */
const anyPeer = { from: /200 [A-E]\b|%%[A-E]%% 200/g, to: 'one of them' };
const drawn = (count: number): Case => ({
  act: times(count, get('/')),
  isBrief: true,
  normalize: [anyPeer],
  without: { backends: 'which one is drawn is chance', 'access log': 'which one is drawn is chance' },
});

for (const method of ['random', 'random two', 'random two least_conn']) {
  sequence(method, `${method}; server %%A%%; server %%B%% weight=2; server %%C%% down;`, { draws: drawn(12) });
  sequence(`${method} with a refusing peer`, `${method}; server %%A%%; server 127.0.0.1:%%DEAD%% max_fails=0;`, {
    'answers all the same': {
      act: times(8, get('/')),
      isBrief: true,
      normalize: [anyPeer],
      without: { 'access log': 'chance', 'error log': 'chance' },
    },
  });
}
