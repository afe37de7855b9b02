import { describe, expect, test } from 'vitest';
import { compileText } from '../../../support/compile-text.ts';

const LARGEST =
  'equal to or greater than the maximum of the value of "proxy_buffer_size" and one of the "proxy_buffers"';
const NO_URI =
  '"proxy_pass" cannot have URI part in location given by regular expression, or inside named location, or inside "if" statement, or inside "limit_except" block';

/** `[block of the server, finding]`; null: none. The texts are those of nginx 1.22 where it has one. */
const cases: readonly (readonly [string, string | null])[] = [
  ['location / { proxy_pass http://127.0.0.1:1; }', null],
  ['location / { proxy_pass HTTP://127.0.0.1/; }', null],
  ['location / { proxy_pass http://127.0.0.1:1?a; }', null],
  ['location / { proxy_pass http://[::1]:80/; }', null],
  ['location / { proxy_pass http://unix:/tmp/x; }', null],
  ['location / { proxy_pass http://unix:/tmp/x:/uri; }', null],
  ['location / { proxy_pass http://$host$uri; }', null],
  ['location / { proxy_pass 127.0.0.1:1; }', 'invalid URL prefix'],
  [
    'location / { proxy_pass https://127.0.0.1; proxy_ssl_verify on; }',
    'no proxy_ssl_trusted_certificate for proxy_ssl_verify',
  ],
  ['location / { proxy_pass https://127.0.0.1:x; }', 'invalid port in upstream "127.0.0.1:x"'],
  ['location / { proxy_pass http://; }', 'no host in upstream ""'],
  ['location / { proxy_pass http://127.0.0.1:0; }', 'invalid port in upstream "127.0.0.1:0"'],
  ['location / { proxy_pass http://127.0.0.1:http/; }', 'invalid port in upstream "127.0.0.1:http/"'],
  ['location / { proxy_pass http://[::1; }', 'invalid host in upstream "[::1"'],
  ['location / { proxy_pass http://unix:; }', 'no path in the unix domain socket in upstream "unix:"'],
  ['location / { proxy_pass http://127.0.0.1; proxy_pass http://127.0.0.1; }', '"proxy_pass" directive is duplicate'],
  ['proxy_pass http://127.0.0.1:1;', '"proxy_pass" directive is not allowed here'],
  ['location ~ /a { proxy_pass http://127.0.0.1/x; }', NO_URI],
  ['location ~/a { proxy_pass http://127.0.0.1/; }', NO_URI],
  ['location @x { proxy_pass http://127.0.0.1/x; }', NO_URI],
  ['location ~ /a { proxy_pass http://127.0.0.1; }', null],
  ['location = /a { proxy_pass http://127.0.0.1/x; }', null],
  ['location ^~ /a { proxy_pass http://127.0.0.1/x; }', null],
  ['proxy_buffers 1 4k;', 'there must be at least 2 "proxy_buffers"'],
  [
    'proxy_buffers 2 4k;',
    '"proxy_busy_buffers_size" must be less than the size of all "proxy_buffers" minus one buffer',
  ],
  ['proxy_busy_buffers_size 2k;', `"proxy_busy_buffers_size" must be ${LARGEST}`],
  ['proxy_busy_buffers_size 28k;', null],
  [
    'proxy_busy_buffers_size 29k;',
    '"proxy_busy_buffers_size" must be less than the size of all "proxy_buffers" minus one buffer',
  ],
  [
    'proxy_buffer_size 64k;',
    '"proxy_busy_buffers_size" must be less than the size of all "proxy_buffers" minus one buffer',
  ],
  ['proxy_buffer_size 16k; proxy_buffers 8 16k;', null],
  ['proxy_temp_file_write_size 1k;', `"proxy_temp_file_write_size" must be ${LARGEST}`],
  [
    'proxy_max_temp_file_size 1k;',
    `"proxy_max_temp_file_size" must be equal to zero to disable temporary files usage or must be ${LARGEST}`,
  ],
  ['proxy_max_temp_file_size 0;', null],
  [
    'location / { proxy_redirect default; }',
    '"proxy_redirect default" should be placed after the "proxy_pass" directive',
  ],
  [
    'location / { proxy_pass http://$host; proxy_redirect default; }',
    '"proxy_redirect default" cannot be used with "proxy_pass" directive with variables',
  ],
  ['proxy_redirect off; proxy_redirect a b;', '"proxy_redirect" directive is duplicate'],
  ['proxy_redirect a b; proxy_redirect off;', '"proxy_redirect" directive is duplicate'],
  ['proxy_redirect a b; proxy_redirect c d;', null],
  ['proxy_redirect foo;', 'invalid parameter "foo"'],
  ['proxy_cookie_domain a b; proxy_cookie_domain off;', '"proxy_cookie_domain" directive is duplicate'],
  ['proxy_cookie_domain a;', 'invalid parameter "a"'],
  ['proxy_cookie_path a;', 'invalid parameter "a"'],
  ['proxy_cookie_flags a;', 'invalid parameter "a"'],
  ['proxy_cookie_flags off; proxy_cookie_flags a secure;', '"proxy_cookie_flags" directive is duplicate'],
  ['proxy_next_upstream foo;', 'invalid value "foo"'],
  ['proxy_next_upstream off error;', null],
  ['proxy_ignore_headers foo;', 'invalid value "foo"'],
  ['proxy_http_version 3;', 'invalid value "3"'],
  ['proxy_http_version 2;', null],
  ['proxy_http_version 2.0;', 'invalid value "2.0"'],
  ['proxy_bind foo;', 'invalid address "foo"'],
  ['proxy_bind 127.0.0.1;', null],
  ['proxy_bind [::1]:8080;', null],
  ['proxy_bind 127.0.0.1:0;', 'invalid address "127.0.0.1:0"'],
  ['proxy_bind 127.0.0.1:65536;', 'invalid address "127.0.0.1:65536"'],
  ['proxy_bind [::1];', 'invalid address "[::1]"'],
  ['proxy_bind ::1;', null],
  ['proxy_bind 127.0.0.1 foo;', 'invalid parameter "foo"'],
  ['proxy_bind off transparent;', 'invalid address "off"'],
  ['proxy_bind 127.0.0.1 transparent;', '"proxy_bind" parameter "transparent" is not supported'],
  ['proxy_temp_path /tmp/x 1 2 3 4;', 'invalid number of arguments in "proxy_temp_path" directive'],
  ['proxy_temp_path /tmp/x a;', '"proxy_temp_path" directive invalid value'],
  ['proxy_temp_path /tmp/x 1 2;', null],
  ['client_body_in_file_only foo;', 'invalid value "foo"'],
  ['proxy_limit_rate foo;', '"proxy_limit_rate" directive invalid value'],
  ['proxy_limit_rate $arg_rate;', null],
  ['proxy_cache zone;', '"proxy_cache" directive is not supported: responses are not cached'],
  ['proxy_cache off;', null],
  ['proxy_cache_bypass $http_upgrade; proxy_cache_valid 200 1m;', null],
  ['proxy_store on;', '"proxy_store" directive is not supported: responses are not stored'],
];

describe('findings that only show when it is compiled stand at their directive', () => {
  for (const [block, line] of [
    ['proxy_set_header X x;\nproxy_pass http://u:8080;', 6],
    ['proxy_pass http://u;\nproxy_redirect ~( x;', 6],
    ['proxy_pass http://u;\n\nproxy_cookie_path ~( x;', 7],
    ['proxy_pass http://u;\nproxy_set_header X $nope;', 6],
  ] as const) {
    test(block, () => {
      const { findings } = compileText(
        `upstream u { server 127.0.0.1:1; } server { listen 80; location / {\n\n${block}\n} }`,
      );
      expect(findings).toHaveLength(1);
      expect(findings[0]).toMatch(new RegExp(` in test\\.conf:${line}$`));
    });
  }
});

describe('findings of the proxy module', () => {
  for (const [block, finding] of cases) {
    test(block, () => {
      const { findings } = compileText(`server { listen 80;\n${block}\n}`);
      if (finding === null) expect(findings).toEqual([]);
      else expect(findings.map((text) => text.replace(/ in test\.conf:\d+$/, ''))).toEqual([`emerg: ${finding}`]);
    });
  }
});
