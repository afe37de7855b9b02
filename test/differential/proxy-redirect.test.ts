import { replyAndClose, type Script } from '../support/scripted-backend.ts';
import { get } from './client-script.ts';
import { compare } from './compare.ts';

/** Answers with the header that the query asks for: `?Location=…`, `?Set-Cookie=…`, `?Refresh=…`. */
const asked: Script = (got) => {
  const [, name = '', value = ''] = /\?([\w-]+)=(.*)$/.exec(got.target) ?? [];
  return replyAndClose('', name === 'Location' ? '302 Found' : '200 OK', { [name]: decodeURIComponent(value) });
};

compare('proxy_redirect', {
  backends: { A: asked },
  http: `
    upstream named { server %%A%%; }
    server {
      listen 127.0.0.1:%%PORT%%;
      server_name proxy.example;
      location /default/ { proxy_pass http://named/base/; }
      location /default-no-uri/ { proxy_pass http://named; }
      location /off/ { proxy_pass http://named/base/; proxy_redirect off; }
      location /explicit/ { proxy_pass http://named/base/; proxy_redirect http://other.example/ /o/; }
      location /both/ { proxy_pass http://named/base/; proxy_redirect default; proxy_redirect http://other.example/ http://mine.example/; }
      location /regex/ { proxy_pass http://named/base/; proxy_redirect ~^http://([^/]+)/x/(.*)$ /$1/$2; }
      location /regex-nocase/ { proxy_pass http://named/base/; proxy_redirect ~*^HTTP://OTHER(.*)$ /case$1; }
      location /variable/ { proxy_pass http://named/base/; proxy_redirect http://$host/ /v/$arg_Location/; }
      location /path/ { proxy_pass http://named/base/; proxy_redirect / /p/; }
    }`,
  cases: {
    'default: what proxy_pass names': get('/default/?Location=http://named/base/x'),
    'default: another path': get('/default/?Location=http://named/other'),
    'default: a path alone': get('/default/?Location=/base/x'),
    'default: another host': get('/default/?Location=http://other.example/base/x'),
    'default without a URI': get('/default-no-uri/?Location=http://named/default-no-uri/x'),
    relative: get('/default/?Location=x/y'),
    off: get('/off/?Location=http://named/base/x'),
    explicit: get('/explicit/?Location=http://other.example/x'),
    'explicit: no default beside it': get('/explicit/?Location=http://named/base/x'),
    'default and explicit: default': get('/both/?Location=http://named/base/x'),
    'default and explicit: explicit': get('/both/?Location=http://other.example/x'),
    regex: get('/regex/?Location=http://some.example/x/y/z'),
    'regex that does not match': get('/regex/?Location=http://some.example/y'),
    'regex without case': get('/regex-nocase/?Location=http://other.example/a'),
    variables: get('/variable/?Location=http://proxy.example/a', { host: 'proxy.example' }),
    'a path': get('/path/?Location=/a/b'),
    empty: get('/default/?Location='),
    Refresh: get('/default/?Refresh=5;%20url=http://named/base/x'),
    'Refresh without a URL': get('/default/?Refresh=5'),
    'Refresh in the explicit form': get('/explicit/?Refresh=0;url=http://other.example/y'),
  },
});

compare('proxy_cookie_domain, _path, _flags', {
  backends: { A: asked },
  http: `
    server {
      listen 127.0.0.1:%%PORT%%;
      location /domain/ { proxy_pass http://%%A%%; proxy_cookie_domain upstream.example proxy.example; }
      location /domain-dot/ { proxy_pass http://%%A%%; proxy_cookie_domain .upstream.example .proxy.example; }
      location /domain-regex/ { proxy_pass http://%%A%%; proxy_cookie_domain ~^(.+)\\.internal$ $1.example; }
      location /domain-off/ { proxy_pass http://%%A%%; proxy_cookie_domain off; }
      location /path/ { proxy_pass http://%%A%%; proxy_cookie_path /app/ /; }
      location /path-regex/ { proxy_pass http://%%A%%; proxy_cookie_path ~^/one(/.*)?$ /two$1; }
      location /path-variable/ { proxy_pass http://%%A%%; proxy_cookie_path /app /$host; }
      location /flags/ { proxy_pass http://%%A%%; proxy_cookie_flags a secure httponly samesite=strict; }
      location /flags-all/ { proxy_pass http://%%A%%; proxy_cookie_flags ~ nosecure; }
      location /flags-none/ { proxy_pass http://%%A%%; proxy_cookie_flags ~^b nohttponly nosamesite; }
      location /several/ { proxy_pass http://%%A%%; proxy_cookie_path / /x/; proxy_cookie_domain a.example b.example; proxy_cookie_flags a secure; }
    }`,
  cases: Object.fromEntries(
    [
      '/domain/?Set-Cookie=a=b; Domain=upstream.example; Path=/',
      '/domain/?Set-Cookie=a=b; Domain=.upstream.example',
      '/domain/?Set-Cookie=a=b; domain=UPSTREAM.example; Secure',
      '/domain/?Set-Cookie=a=b; Domain=sub.upstream.example',
      '/domain/?Set-Cookie=a=b',
      '/domain-dot/?Set-Cookie=a=b; Domain=upstream.example',
      '/domain-dot/?Set-Cookie=a=b; Domain=.upstream.example',
      '/domain-regex/?Set-Cookie=a=b; Domain=shop.internal',
      '/domain-off/?Set-Cookie=a=b; Domain=shop.internal',
      '/path/?Set-Cookie=a=b; Path=/app/x; HttpOnly',
      '/path/?Set-Cookie=a=b; path=/app/',
      '/path/?Set-Cookie=a=b; Path=/other/',
      '/path-regex/?Set-Cookie=a=b; Path=/one/x',
      '/path-variable/?Set-Cookie=a=b; Path=/app/x',
      '/flags/?Set-Cookie=a=b',
      '/flags/?Set-Cookie=a=b; Secure; SameSite=Lax',
      '/flags/?Set-Cookie=c=d',
      '/flags-all/?Set-Cookie=c=d; Secure; Path=/',
      '/flags-none/?Set-Cookie=b=d; HttpOnly; SameSite=None',
      '/several/?Set-Cookie=a=b; Path=/; Domain=a.example',
      '/several/?Set-Cookie=a; Path=/',
      '/several/?Set-Cookie==b; Path=/',
    ].map((target) => [target, get(target.replaceAll(' ', '%20'), { host: 'proxy.example' })]),
  ),
});
