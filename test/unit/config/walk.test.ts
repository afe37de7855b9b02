import { describe, expect, it } from 'vitest';
import { HTTP, LOCATION, SERVER, UPSTREAM } from '../../../src/config/contexts.ts';
import { formatDiagnostic } from '../../../src/config/diagnostic.ts';
import type { ConfModule } from '../../../src/config/directive-spec.ts';
import { parseText } from '../../../src/config/parser.ts';
import type { Scope } from '../../../src/config/scope.ts';
import { readScopes } from '../../../src/config/walk.ts';
import { core, http, sampleModules, upstream } from './sample-modules.ts';

function read(text: string) {
  const parsed = parseText({ text, file: 'nginx.conf' });
  expect(parsed.finding).toBeNull();
  return readScopes(parsed.directives, sampleModules);
}

function only(scope: Scope, context: number): Scope {
  const [child] = scope.childrenOf(context);
  if (child === undefined) throw new Error('no such scope');
  return child;
}

const TEXT = `
daemon OFF;
http {
  sendfile on;
  add_header A 1;
  add_header B 2;
  mark here;
  upstream u { server a:1 weight=2; server b:2; }
  server {
    server_name x y;
    server_name z;
    add_header C 3;
    location ~ /p { sendfile off; types { a b; c d; } }
  }
}`;

describe('scopes', () => {
  const { main, diagnostics } = read(TEXT);
  const httpScope = only(main, HTTP);
  const server = only(httpScope, SERVER);
  const location = only(server, LOCATION);

  it('without findings', () => expect(diagnostics).toEqual([]));

  it('have what was said in them, flags without a parser too', () => {
    expect(main.conf(core)).toEqual({ daemon: false, workers: 1 });
    expect(httpScope.conf(http)).toMatchObject({ sendfile: true, headers: ['A: 1', 'B: 2'], marked: 'here' });
    expect(location.conf(http)).toMatchObject({ sendfile: false, typeLines: 2 });
    expect(location.args).toEqual(['~', '/p']);
    expect(location.pos).toMatchObject({ file: 'nginx.conf', line: 13 });
  });

  it('inherit what was not said; lists replace as a whole; some directives do not inherit', () => {
    expect(server.conf(http)).toMatchObject({ sendfile: true, headers: ['C: 3'], marked: 'no', names: ['z'] });
    expect(location.conf(http)).toMatchObject({ headers: ['C: 3'] });
  });

  it('a name with rows in several contexts means what fits', () => {
    expect(only(httpScope, UPSTREAM).conf(upstream).servers).toEqual(['a:1', 'b:2']);
    expect(httpScope.childrenOf(SERVER)).toHaveLength(1);
  });
});

describe('findings', () => {
  it.each([
    ['nothing;', 'unknown directive "nothing" in nginx.conf:1'],
    ['"" a;', 'unknown directive "" in nginx.conf:1'],
    ['events { http {} }', '"http" directive is not allowed here in nginx.conf:1'],
    ['events on;', 'directive "events" has no opening "{" in nginx.conf:1'],
    ['events on {}', 'invalid number of arguments in "events" directive in nginx.conf:1'],
    ['daemon on {}', 'directive "daemon" is not terminated by ";" in nginx.conf:1'],
    ['daemon;', 'invalid number of arguments in "daemon" directive in nginx.conf:1'],
    ['daemon 1;', 'invalid value "1" in "daemon" directive, it must be "on" or "off" in nginx.conf:1'],
    ['daemon on; daemon 1;', '"daemon" directive is duplicate in nginx.conf:1'],
    ['http {} http {}', '"http" directive is duplicate in nginx.conf:1'],
    ['http { upstream u {\n} }', 'no servers are inside upstream in nginx.conf:2'],
    ['http {\nproxy_buffers 1 512;\n}', 'buffers are too small in nginx.conf:1'],
  ])('%s', (text, expected) => {
    expect(read(text).diagnostics.map(formatDiagnostic)).toEqual([expected]);
  });

  it('a block that nobody knows is one finding, whatever stands in it', () => {
    expect(read('foo { bar; baz {} }').diagnostics).toHaveLength(1);
  });

  it('an error that is no finding is not swallowed', () => {
    const broken: ConfModule<object> = {
      name: 'broken',
      defaults: () => ({}),
      rows: [
        {
          name: 'boom',
          contexts: 1,
          args: 0,
          apply: () => {
            throw new TypeError('a bug');
          },
          doc: '',
        },
      ],
    };
    const { directives } = parseText({ text: 'boom;', file: 'f' });
    expect(() => readScopes(directives, [broken])).toThrow(TypeError);
  });
});
