import { describe, expect, test } from 'vitest';
import { LOGS, Proxied } from './proxied.ts';

const conf = (rules: string, location = '/', pass = 'http://127.0.0.1:8000') =>
  `${LOGS} server { listen 80; location ${location} { proxy_pass ${pass}; ${rules} } }`;

describe('the request’s target', () => {
  const cases = [
    ['http://127.0.0.1:8000', '/a/', '/a/b%20c//d?e', '/a/b%20c//d?e'],
    ['http://127.0.0.1:8000/', '/a/', '/a/b%20c//d?e', '/b%20c/d?e'],
    ['http://127.0.0.1:8000/x', '/a/', '/a/b', '/xb'],
    ['http://127.0.0.1:8000/x/', '/a/', '/a/b', '/x/b'],
    ['http://127.0.0.1:8000/x', '= /a', '/a?b', '/x?b'],
    ['http://127.0.0.1:8000', '~ ^/a', '/a%2fb', '/a%2fb'],
    ['http://127.0.0.1:8000?q=', '/a', '/ab', '/?q=b'],
    ['http://127.0.0.1:8000$uri', '/a', '/a/b?c', '/a/b'],
    ['http://127.0.0.1:8000/$arg_to', '/a', '/a?to=x%20y', '/x%20y'],
    ['http://$arg_host', '/a', '/a/%41?host=127.0.0.1', '/a/%41?host=127.0.0.1'],
  ] as const;
  for (const [pass, location, target, expected] of cases) {
    test(`${pass} in ${location}: ${target}`, () => {
      const proxied = new Proxied(conf('', location, pass));
      proxied.ask({ target });
      expect(proxied.connections.last.request[0]).toBe(`GET ${expected} 1.1`);
    });
  }
});

describe('the request’s fields', () => {
  const ask = (rules: string, fields: readonly string[] = [], outside = '') => {
    const proxied = new Proxied(`${outside} ${conf(rules)}`);
    proxied.ask({ fields });
    return proxied.connections.last.request.slice(1);
  };

  test('nginx’s defaults', () => {
    const fields = [
      'Connection: close, x',
      'Keep-Alive: 1',
      'TE: t',
      'Expect: e',
      'Upgrade: u',
      'X-A: 1',
      'Accept: */*',
    ];
    expect(ask('', fields)).toEqual(['Host: 127.0.0.1:8000', 'X-A: 1', 'Accept: */*']);
  });

  test('port 80 is left out of Host', () => {
    const proxied = new Proxied(conf('', '/', 'http://127.0.0.1:80'));
    proxied.ask();
    expect(proxied.connections.last.request[1]).toBe('Host: 127.0.0.1');
  });

  test('a unix socket is localhost', () => {
    const proxied = new Proxied(conf('', '/', 'http://unix:/tmp/x:/y'));
    proxied.ask({ target: '/z' });
    expect(proxied.connections.last.request.slice(0, 2)).toEqual(['GET /yz 1.1', 'Host: localhost']);
  });

  test('set in place of the client’s, whatever the case; empty removes', () => {
    const rules = 'proxy_set_header x-a mine; proxy_set_header Accept ""; proxy_set_header Host $host;';
    expect(ask(rules, ['X-A: theirs', 'accept: */*', 'X-B: b'])).toEqual(['x-a: mine', 'Host: example.org', 'X-B: b']);
  });

  test('an empty variable sends nothing', () => {
    expect(ask('proxy_set_header X-A $http_x_none;', ['X-A: theirs'])).toEqual(['Host: 127.0.0.1:8000']);
  });

  test('inherited as a whole', () => {
    expect(ask('', [], 'proxy_set_header X-Out out;')).toEqual(['X-Out: out', 'Host: 127.0.0.1:8000']);
    expect(ask('proxy_set_header X-In in;', [], 'proxy_set_header X-Out out;')).toEqual([
      'X-In: in',
      'Host: 127.0.0.1:8000',
    ]);
  });

  test('proxy_pass_request_headers off', () => {
    expect(ask('proxy_pass_request_headers off;', ['X-A: a'])).toEqual(['Host: 127.0.0.1:8000']);
  });

  test('framing is ours, whatever is set', () => {
    const rules = 'proxy_set_header Content-Length 100; proxy_set_header Transfer-Encoding chunked;';
    expect(ask(rules)).toEqual(['Host: 127.0.0.1:8000']);
  });

  test('$proxy_add_x_forwarded_for, $proxy_host, $proxy_port', () => {
    const rules =
      'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-P $proxy_host-$proxy_port;';
    expect(ask(rules, ['X-Forwarded-For: 198.51.100.1', 'X-Forwarded-For: 198.51.100.2'])).toEqual([
      'X-Forwarded-For: 198.51.100.1, 198.51.100.2, 192.0.2.7',
      'X-P: 127.0.0.1:8000-8000',
      'Host: 127.0.0.1:8000',
    ]);
  });
});

describe('the response’s fields', () => {
  const answer = (rules: string, fields: readonly string[], location = '/', pass?: string) => {
    const proxied = new Proxied(conf(rules, location, pass));
    const { ex } = proxied.ask({ target: location.replace(/^= /, '') });
    proxied.connections.last.head(200, fields, 5);
    const { passed, added } = ex.response;
    const said: string[] = [];
    for (let i = 0; passed !== null && i < passed.count; i++) {
      if (passed.hidden[i] === 0 && passed.name(i) !== 'Content-Type')
        said.push(`${passed.name(i)}: ${passed.value(i)}`);
    }
    for (let i = 0; i < added.length; i += 2) said.push(`${added[i]}: ${added[i + 1]}`);
    return { said, response: ex.response };
  };

  test('hidden by default', () => {
    const fields = [
      'Date: d',
      'Server: s',
      'X-Pad: p',
      'X-Accel-Expires: 1',
      'X-Accel-Charset: c',
      'Keep-Alive: k',
      'X-A: a',
    ];
    const { said, response } = answer('', fields);
    expect(said).toEqual(['X-A: a']);
    expect(response.date).toBe('');
  });

  test('proxy_pass_header, proxy_hide_header', () => {
    const rules = 'proxy_pass_header Server; proxy_pass_header date; proxy_hide_header x-a; proxy_hide_header ETag;';
    const { said, response } = answer(rules, ['Date: d', 'Server: s', 'X-A: a', 'ETag: e', 'X-B: b']);
    expect(response.date).toBe('d');
    expect(response.server).toBe('s');
    expect(said.filter((field) => !/^(Date|Server)/.test(field))).toEqual(['X-B: b']);
  });

  test('type and length are the response’s own', () => {
    const { response } = answer('', ['Content-Type: text/x', 'Content-Length: 5']);
    expect([response.contentType, response.contentLength]).toEqual(['text/x', 5]);
  });

  const redirects = [
    ['', '/', 'http://127.0.0.1:8000/x', 'http://example.org:8080/x'],
    ['', '/', 'http://127.0.0.1:8001/x', 'http://127.0.0.1:8001/x'],
    ['', '/', '/x', '/x'],
    ['proxy_redirect off;', '/', 'http://127.0.0.1:8000/x', 'http://127.0.0.1:8000/x'],
    ['proxy_redirect http://a/ http://b/c/;', '/', 'http://a/x', 'http://b/c/x'],
    ['proxy_redirect ~^http://([a-z]+)/(.*)$ /$1/$2;', '/', 'http://a/x', 'http://example.org:8080/a/x'],
    ['proxy_redirect ~*^HTTP://A/ $scheme://z/;', '/', 'http://a/x', 'http://z/'],
    ['proxy_redirect http://$host/ /h/; absolute_redirect off;', '/', 'http://example.org/x', '/h/x'],
    ['proxy_redirect a b; proxy_redirect http:// ftp://;', '/', 'http://x', 'ftp://x'],
  ] as const;
  for (const [rules, location, from, to] of redirects) {
    test(`Location: ${from} with ${rules === '' ? 'the default' : rules}`, () => {
      expect(answer(rules, [`Location: ${from}`], location).said).toEqual([`Location: ${to}`]);
    });
  }

  test('the default of a proxy_pass with a URI maps it back to the location', () => {
    const pass = 'http://127.0.0.1:8000/in/';
    const { said } = answer('', ['Location: http://127.0.0.1:8000/in/x'], '/out/', pass);
    expect(said).toEqual(['Location: http://example.org:8080/out/x']);
  });

  test('Refresh', () => {
    const { said } = answer('', ['Refresh: 5; url=http://127.0.0.1:8000/x', 'refresh: 5']);
    expect(said).toEqual(['refresh: 5', 'Refresh: 5; url=/x']);
  });

  const cookies = [
    ['proxy_cookie_domain a.b c.d;', 'k=v; Domain=a.b; Path=/', 'k=v; Domain=c.d; Path=/'],
    ['proxy_cookie_domain .a.b c.d;', 'k=v; domain=.A.b', 'k=v; domain=.c.d'],
    ['proxy_cookie_domain a.b c.d;', 'k=v; Domain=x.a.b', 'k=v; Domain=x.a.b'],
    ['proxy_cookie_domain ~^(.+)\\.b$ $1.z;', 'k=v; Domain=a.b', 'k=v; Domain=a.z'],
    ['proxy_cookie_path /in/ /;', 'k=v; path=/in/x; HttpOnly', 'k=v; path=/x; HttpOnly'],
    ['proxy_cookie_path ~^/(.)/ /$host/$1;', 'k=v; path=/a/', 'k=v; path=/example.org/a'],
    ['proxy_cookie_path / /x/;', 'k; path=/', 'k; path=/'],
    ['proxy_cookie_flags k secure;', 'kk=v', 'kk=v'],
    ['proxy_cookie_flags ~ nosecure;', 'k=v; Secure; Path=/', 'k=v; Path=/'],
    ['proxy_cookie_flags k nohttponly nosamesite;', 'k=v; HttpOnly; SameSite=Lax', 'k=v'],
    ['', 'k=v;Domain=a ;x', 'k=v;Domain=a ;x'],
  ] as const;
  for (const [rules, from, to] of cookies) {
    test(`Set-Cookie: ${from} with ${rules}`, () => {
      expect(answer(rules, [`Set-Cookie: ${from}`]).said).toEqual([`Set-Cookie: ${to}`]);
    });
  }
});

describe('proxy_force_ranges', () => {
  const ask = (range: string, more: readonly string[] = []) => {
    const proxied = new Proxied(conf('proxy_force_ranges on;'));
    const { stream, ex } = proxied.ask({ fields: [`Range: ${range}`, ...more] });
    proxied.connections.last.respond(200, ['ETag: "e"', 'X-A: a'], '0123456789');
    expect(proxied.active()).toBe(0);
    return { status: stream.status, body: stream.body, range: ex.response.get('content-range') };
  };
  for (const [asked, status, body, range] of [
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=-3', 206, '789', 'bytes 7-9/10'],
    ['bytes=0-100', 206, '0123456789', 'bytes 0-9/10'],
    ['bytes=1-2,4-5', 200, '0123456789', null],
    ['lines=1-2', 200, '0123456789', null],
  ] as const) {
    test(asked, () => expect(ask(asked)).toEqual({ status, body, range }));
  }
  test('out of range', () => expect(ask('bytes=10-')).toMatchObject({ status: 416, range: 'bytes */10' }));
  test('If-Range that fits', () => expect(ask('bytes=0-0', ['If-Range: "e"']).status).toBe(206));
  test('If-Range that does not', () => expect(ask('bytes=0-0', ['If-Range: "f"']).status).toBe(200));
});
