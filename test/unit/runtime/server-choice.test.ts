import { describe, expect, test } from 'vitest';
import { groupFor } from '../../../src/runtime/runtime.ts';
import { compileGroup, compileText } from '../../support/compile-text.ts';
import { ask } from '../../support/fake-client-stream.ts';

const server = (names: string, listen = '8080') =>
  `server { listen ${listen}; ${names === '' ? '' : `server_name ${names};`} return 200 '${names.replaceAll('$', '')} $1'; }`;

describe('the server of a host', () => {
  const group = compileGroup(
    [
      server('first.example'),
      server('exact.example www.exact.example'),
      server('*.wild.example'),
      server('*.deep.wild.example'),
      server('.both.example'),
      server('mail.*'),
      server('mail.inner.*'),
      server('~^(.+)\\.regex\\.example$'),
      server('~^r2.*\\.regex\\.example$'),
      server('""'),
      server('Upper.Example'),
    ].join('\n'),
  );

  test.each<[string | null, string]>([
    ['first.example', 'first.example '],
    ['unknown.example', 'first.example '],
    ['exact.example', 'exact.example www.exact.example '],
    ['WWW.Exact.Example:81', 'exact.example www.exact.example '],
    ['exact.example.', 'exact.example www.exact.example '],
    ['a.wild.example', '*.wild.example '],
    ['a.b.wild.example', '*.wild.example '],
    ['wild.example', 'first.example '],
    ['a.deep.wild.example', '*.deep.wild.example '],
    ['deep.wild.example', '*.wild.example '],
    ['both.example', '.both.example '],
    ['a.b.both.example', '.both.example '],
    ['mail.com', 'mail.* '],
    ['mail.inner.com', 'mail.inner.* '],
    ['mail.co.uk', 'mail.* '],
    ['mail', 'first.example '],
    ['mail.wild.example', '*.wild.example '],
    ['x.regex.example', '~^(.+)\\.regex\\.example x'],
    ['r2.regex.example', '~^(.+)\\.regex\\.example r2'],
    ['upper.example', 'Upper.Example '],
    [null, '"" '],
  ])('%s', (host, text) => {
    const { body } = ask(group, { host, version: host === null ? 10 : 11 });
    expect(body).toBe(text);
  });

  test('default_server answers for unknown names', () => {
    const withDefault = compileGroup(server('a') + server('b', '8080 default_server'));
    expect(ask(withDefault, { host: 'c' }).body).toBe('b ');
  });

  test('a lone server with a regex gives captures', () => {
    expect(ask(compileGroup(server('~^(?<label>[^.]+)\\.')), { host: 'one.example' }).body).toContain(' one');
  });
});

describe('addresses', () => {
  const listenersOf = (http: string) =>
    (compileText(http).runtime?.listeners ?? []).map(({ address, byLocalAddress }) =>
      byLocalAddress === null ? address.text : `${address.text} with ${[...byLocalAddress.keys()].join(' ')}`,
    );

  test.each<[string, readonly string[]]>([
    [server('a') + server('b'), ['0.0.0.0:8080']],
    [server('a', '*:81'), ['0.0.0.0:81']],
    [server('a', '127.0.0.1'), ['127.0.0.1:80']],
    [server('a', '[::]:81'), ['[::]:81']],
    [server('a', '[::0:1]:81'), ['[::1]:81']],
    [server('a', 'unix:/run/a.sock'), ['unix:/run/a.sock']],
    [server('a', 'localhost:81'), ['127.0.0.1:81']],
    [server('a', '8001-8003'), ['0.0.0.0:8001', '0.0.0.0:8002', '0.0.0.0:8003']],
    [server('a', '127.0.0.1:81') + server('b', '81'), ['0.0.0.0:81 with 127.0.0.1']],
    [server('a', '127.0.0.1:81 bind') + server('b', '81'), ['127.0.0.1:81', '0.0.0.0:81']],
    [server('a', '127.0.0.1:81') + server('b', '82'), ['127.0.0.1:81', '0.0.0.0:82']],
    [server('a', '81') + server('b', '[::]:81'), ['0.0.0.0:81', '[::]:81']],
    ['server { return 200; }', [process.geteuid?.() === 0 ? '0.0.0.0:80' : '0.0.0.0:8000']],
  ])('%s', (http, addresses) => {
    expect(listenersOf(http)).toEqual(addresses);
  });

  test('options of the socket come from the listen that has them', () => {
    const { runtime } = compileText(server('a') + server('b', '8080 backlog=7 reuseport'));
    expect(runtime?.listeners[0]?.address).toMatchObject({ backlog: 7, isReusePort: true });
  });

  test('an address beside a wildcard has its own servers', () => {
    const listener = compileText(server('wild', '81') + server('local', '127.0.0.1:81')).runtime?.listeners[0];
    if (listener === undefined) throw new Error('no listener');
    expect(ask(groupFor(listener, '10.0.0.1'), { host: 'x' }).body).toBe('wild ');
    expect(ask(groupFor(listener, '127.0.0.1'), { host: 'x' }).body).toBe('local ');
  });
});
