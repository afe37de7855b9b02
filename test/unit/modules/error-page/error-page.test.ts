import { describe, expect, test } from 'vitest';
import { beginExchange, MAX_REDIRECTS } from '../../../../src/http/phases.ts';
import { compileGroup } from '../../../support/compile-text.ts';
import { fakeExchange } from '../../../support/fake-client-stream.ts';

const group = compileGroup(`
  server {
    listen 8080;
    error_page 404 /page?a=b;
    error_page 410 =200 @named;
    error_page 404 /never-the-second;
    location /page { internal; return 200 "$uri $args $request_method $status"; }
    location @named { return 201 "$uri $request_method"; }
    location /404 { return 404; }
    location /410 { return 410; }
    location /loop { recursive_error_pages on; error_page 404 /loop; return 404; }
  }`);

const ask = (target: string, method = 'GET') => {
  const { ex, stream } = fakeExchange({ target, method }, group);
  beginExchange(ex, group);
  return { ex, stream };
};

describe('error_page', () => {
  test('answers with the status of the error and the body of the page', () => {
    const { stream } = ask('/404', 'POST');
    expect(stream.head?.status).toBe(404);
    expect(stream.body).toBe('/page a=b GET 404');
  });

  test('with =200 and a name keeps method and uri', () => {
    const { stream } = ask('/410', 'PUT');
    expect(stream.head?.status).toBe(200);
    expect(stream.body).toBe('/410 PUT');
  });

  test('that is recursive without an end stops at the limit of redirects', () => {
    const { ex, stream } = ask('/loop');
    expect(stream.head?.status).toBe(500);
    expect(ex.redirects).toBe(MAX_REDIRECTS + 1);
  });

  test('leaves nothing behind for the next request', () => {
    const { ex } = ask('/404');
    expect(ex).toMatchObject({ isErrorPage: true, errorStatus: 404 });
    ex.reset(group.defaultServer);
    expect(ex).toMatchObject({ isErrorPage: false, errorStatus: 0 });
  });
});
