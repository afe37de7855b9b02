import { describe, expect, test } from 'vitest';
import { internalRedirect, namedLocation } from '../../../src/http/phases.ts';
import { compileGroup, compileText } from '../../support/compile-text.ts';
import { fakeExchange } from '../../support/fake-client-stream.ts';

const group = compileGroup(`
  server {
    listen 8080;
    location / { return 200 "root $uri"; }
    location /private { internal; return 200 "private $uri $args"; }
    location @named { return 200 "named $uri"; }
  }`);

describe('internal redirects', () => {
  const begun = () => {
    const { ex, stream } = fakeExchange({ target: '/first' }, group);
    ex.uri = '/first';
    return { ex, stream };
  };

  test('choose a location anew, internal ones too', () => {
    const { ex, stream } = begun();
    internalRedirect(ex, '/private/x', 'a=b');
    expect(stream.body).toBe('private /private/x a=b');
    expect(ex).toMatchObject({ isInternal: true, isUriRewritten: true, isUriChanged: true, redirects: 1 });
  });

  test('to a named location keep the uri', () => {
    const { ex, stream } = begun();
    namedLocation(ex, '@named');
    expect(stream.body).toBe('named /first');
    expect(ex.isUriRewritten).toBe(false);
  });

  test('to a named location that is not there end with 500', () => {
    const { ex, stream } = begun();
    namedLocation(ex, '@none');
    expect(stream.head?.status).toBe(500);
  });

  test('are ten at most', () => {
    const { ex, stream } = begun();
    ex.redirects = 9;
    internalRedirect(ex, '/ok', '');
    expect(stream.head?.status).toBe(200);
    const next = begun();
    next.ex.redirects = 10;
    internalRedirect(next.ex, '/too-far', '');
    expect(next.stream.head?.status).toBe(500);
  });

  test('run the server rewrite phase again', () => {
    const withReturn = compileGroup(
      'server { listen 8080; return 200 "server $uri"; location / { return 200 location; } }',
    );
    const { ex, stream } = fakeExchange({}, withReturn);
    internalRedirect(ex, '/b', '');
    expect(stream.body).toBe('server /b');
  });
});

test('the log runs once, of the location that answered', () => {
  const { runtime, logLines } = compileText(`
    log_format short '$uri $status';
    access_log other short;
    server { listen 8080; location / { return 200; } location /a { access_log a short; return 404; } }`);
  const answering = runtime?.listeners[0]?.group;
  if (answering === undefined) throw new Error('no group');
  const { ex } = fakeExchange({}, answering);
  internalRedirect(ex, '/a', '');
  expect(logLines.get('a')).toEqual(['/a 404']);
  expect(logLines.get('other')).toBeUndefined();
});
