import { type Connection, get } from './client-script.ts';
import { compare } from './compare.ts';

/**
 * Programs of rewrite directives made at random (of a seed), so that they meet in ways that nobody thought of.
 * `EVENKEEL_SEED=7 npx vitest run test/differential/rewrite-programs.test.ts` tries others.
 */
const SEED = Number(process.env['EVENKEEL_SEED'] ?? '1');
const LOCATIONS = 40;
const REQUESTS = 60;

/** mulberry32: the same numbers for the same seed. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const random = randomNumbers(SEED);
const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)] as T;
const maybe = (chance: number): boolean => random() < chance;

const VARIABLES = ['$a', '$b', '$m', '$n', '$uri', '$args', '$1', '$2', '$arg_x', '$arg_y', '$is_args', '$http_z'];
const PATTERNS = [
  '^/(.*)$',
  '^(.*)/([^/]*)$',
  '/l(\\d+)',
  '^/l\\d+/(.*)',
  '(?<m>x+)',
  'q',
  '^/never',
  '([a-z]+)$',
  '^',
  '(?i)X',
];
const locationPath = (): string => `/l${Math.floor(random() * LOCATIONS)}`;

/** `$name` that a letter may follow. */
const bracketed = (name: string): string => (/^\$\d/.test(name) ? name : `\${${name.slice(1)}}`);

function value(): string {
  const words = Array.from({ length: 1 + Math.floor(random() * 3) }, () =>
    maybe(0.6) ? bracketed(pick(VARIABLES)) : pick(['x', 'q', '-', '1', '0', '/']),
  );
  return `"${words.join('')}"`;
}

function replacement(): string {
  const base = maybe(0.6)
    ? locationPath()
    : pick(['/r', '${uri}', '/$1', '/$a/z', 'http://h.example/$1', 'https://h.example', '/q?w=1']);
  const more = pick(['', '', '/$1', '/$2/x', '/x$arg_x', '?k=$1', '?$args', '?k=$arg_y&l=$1']);
  return `"${base}${more}${maybe(0.2) ? '?' : ''}"`;
}

function condition(): string {
  const name = pick(VARIABLES.filter((variable) => !/^\$\d/.test(variable)));
  switch (pick(['set', 'equal', 'match'] as const)) {
    case 'set':
      return name;
    case 'equal':
      return `${name} ${pick(['=', '!='])} ${value()}`;
    case 'match':
      return `${name} ${pick(['~', '~*', '!~', '!~*'])} "${pick(PATTERNS)}"`;
  }
}

function step(mayNest: boolean, isServer: boolean): string {
  const kind = pick(['set', 'set', 'set', 'rewrite', 'rewrite', 'if', 'if', 'return', 'break', 'header'] as const);
  switch (kind) {
    case 'set':
      return `set ${pick(['$a', '$a', '$b', '$b', '$m', '$n', '$args', '$http_z'])} ${value()};`;
    case 'rewrite':
      return `rewrite "${pick(PATTERNS)}" ${replacement()}${pick(['', '', ' last', ' last', ' break', ' redirect', ' permanent'])};`;
    case 'if':
      return mayNest ? `if (${condition()}) { ${steps(false, isServer)} }` : `set $b ${value()};`;
    case 'return':
      return maybe(0.5)
        ? `return 200 "${SEEN}";`
        : pick(['return 403;', 'return 302 /to/$1;', 'return 444;', 'return 301 $uri$is_args$args;']);
    case 'break':
      return 'break;';
    case 'header':
      return isServer ? '' : `add_header X-${pick(['A', 'B'])} ${value()};`;
  }
}

function steps(mayNest: boolean, isServer: boolean): string {
  return Array.from({ length: 1 + Math.floor(random() * (mayNest ? 6 : 3)) }, () => step(mayNest, isServer)).join(' ');
}

const SEEN = '[$uri][$args][$1][$2][$a][$b][$m][$n][$http_z]';

function location(index: number): string {
  const name = maybe(0.25) ? `~ "^/l${index}${pick(['(x*)', '/(.*)$', '', '(?<p>/q)?'])}"` : `/l${index}`;
  const log = maybe(0.5) ? 'rewrite_log on; ' : '';
  return `location ${name} { ${log}${steps(true, false)} ${maybe(0.7) ? `return 200 "${SEEN}";` : ''} }`;
}

function target(): string {
  const path = pick(['', '/', '/x', '/xx/q', '/a%20b', '/a+b/x', '/%c3%a9', '/q/X', '/a&b', '/%2541']);
  const args = pick(['', '', '?x=1', '?x=q&y=2', '?y=x%20x', '?x=0', '?x=%26&x=2', '?']);
  return locationPath() + path + args;
}

function requests(): Connection[] {
  return Array.from({ length: REQUESTS }, () =>
    get(target(), maybe(0.3) ? { headers: [`Z: ${pick(['x', 'q', '1'])}`] } : {}),
  );
}

compare(`rewrite programs of seed ${SEED}`, {
  errorLevel: 'info',
  http: `
    log_format program '$request_uri $status "$uri" "$args" "$a" "$b" "$m" "$n"';
    access_log access.log program;
    map $arg_x $n { volatile; default ""; q "mapped"; 1 "$arg_y"; }
    server {
      listen 127.0.0.1:%%PORT%%;
      server_name localhost;
      ${maybe(0.5) ? steps(true, true).replaceAll(/return \\d+[^;]*;/g, '') : ''}
      ${Array.from({ length: LOCATIONS }, (_, index) => location(index)).join('\n')}
      location /x/unreached { set $a ""; set $b ""; set $m ""; set $http_z ""; rewrite "(?<m>never)" /x; }
      location / { return 200 "${SEEN}"; }
    }`,
  cases: Object.fromEntries(requests().map((connection, index) => [`request ${index}`, connection])),
});
