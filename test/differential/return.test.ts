import { get, inSuccession, request } from './client-script.ts';
import { compare } from './compare.ts';

compare('return', {
  http: `
    server {
      listen 127.0.0.1:%%PORT%%;
      server_name localhost;
      location /text { return 200 "hello"; }
      location /empty { return 200; }
      location /variables { return 200 "$uri $args $request_method"; }
      location /teapot { return 418; }
      location /teapot-text { return 418 "short and stout"; }
      location /created { return 201 "made"; }
      location /no-content { return 204; }
      location /no-content-text { return 204 "ignored"; }
      location /301 { return 301 /elsewhere; }
      location /302 { return 302 http://other.example/x?y=1; }
      location /303 { return 303 https://other.example$request_uri; }
      location /307 { return 307 /$arg_to; }
      location /308 { return 308 /permanent; }
      location /url-only { return http://other.example/; }
      location /scheme { return $scheme://other.example/z; }
      location /403 { return 403; }
      location /404-text { return 404 "nothing here"; }
      location /444 { return 444; }
      location /500 { return 500; }
      location /503 { return 503; }
      location /typed { default_type application/json; return 200 '{"a":1}'; }
      location /by-extension.html { return 200 "<p>"; types { text/html html; } }
      location /300 { return 300 "choose"; }
      location /304 { return 304; }
      location /599 { return 599 "odd"; }
      location / { return 200 "root"; }
    }`,
  cases: {
    'text with 200': get('/text'),
    'code alone, 200': get('/empty'),
    'variables in the text': get('/variables/a?b=c'),
    'unknown code without a text': get('/teapot'),
    'unknown code with a text': get('/teapot-text'),
    '201 with a text': get('/created'),
    '204': get('/no-content'),
    '204 with a text': get('/no-content-text'),
    '301 to a path becomes absolute': get('/301'),
    '302 to a URL': get('/302'),
    '303 with $request_uri': get('/303/a?b=c'),
    '307 with an argument': get('/307?to=there'),
    '308': get('/308'),
    'a URL alone means 302': get('/url-only'),
    '$scheme at the start means 302': get('/scheme'),
    '403 page': get('/403'),
    '404 with a text': get('/404-text'),
    '444 closes without a word': get('/444'),
    '500 page': get('/500'),
    '503 page': get('/503'),
    'default_type gives the type': get('/typed'),
    'types gives the type by extension': get('/by-extension.html'),
    '300 with a text': get('/300'),
    '304': get('/304'),
    '599 with a text': get('/599'),
    'HEAD has headers only': get('/text', { method: 'HEAD' }),
    'HEAD of an error page': get('/403', { method: 'HEAD' }),
    'POST is answered as well': get('/text', { method: 'POST', body: 'x=1' }),
    'the connection stays after a text': inSuccession(
      request('/text', { keep: true }),
      request('/301', { keep: true }),
    ),
    'the connection stays after an error page': inSuccession(
      request('/404-text', { keep: true }),
      request('/403', { keep: true }),
      request('/503', { keep: true }),
    ),
    'msie padding of error pages': get('/403', { headers: ['User-Agent: Mozilla/4.0 (compatible; MSIE 6.0)'] }),
    'chrome padding of error pages': get('/403', { headers: ['User-Agent: Mozilla/5.0 Chrome/100'] }),
  },
});
