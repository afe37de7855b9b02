import { describe, expect, test } from 'vitest';
import { readLogs } from './read-log-conf.ts';

const FORMAT = 'log_format m "$uri"; ';

describe("is refused in nginx's words", () => {
  const rows = [
    ['log_format a;', 'invalid number of arguments in "log_format" directive'],
    ['log_format m x;', 'duplicate "log_format" name "m"'],
    ['log_format combined x;', 'duplicate "log_format" name "combined"'],
    ['log_format a escape=xml b;', 'unknown log format escaping "xml"'],
    ['log_format a "x$";', 'invalid parameter "$"'],
    ['log_format a "x$-";', 'invalid parameter "$-"'],
    ['log_format a "x${";', 'invalid parameter "${"'],
    ['log_format a "x${uri";', 'the closing bracket in "uri" variable is missing'],
    ['access_log;', 'invalid number of arguments in "access_log" directive'],
    ['access_log off x;', 'invalid parameter "x"'],
    ['access_log l nof;', 'unknown log format "nof"'],
    ['access_log l later; log_format later x;', 'unknown log format "later"'],
    ['access_log l m buffer=0;', 'invalid buffer size "0"'],
    ['access_log l m buffer=x;', 'invalid buffer size "x"'],
    ['access_log l m flush=0;', 'invalid flush time "0"'],
    ['access_log l m flush=1s;', 'no buffer is defined for access_log "l"'],
    ['access_log l m buffer=4k flush=x;', 'invalid flush time "x"'],
    ['access_log l m foo;', 'invalid parameter "foo"'],
    ['access_log l$uri m buffer=4k;', 'buffered logs cannot have variables in name'],
    [
      'access_log l m buffer=4k; access_log l m buffer=8k;',
      'access_log "l" already defined with conflicting parameters',
    ],
    ['open_log_file_cache max=0;', '"open_log_file_cache" must have "max" parameter'],
    ['open_log_file_cache valid=3s;', '"open_log_file_cache" must have "max" parameter'],
    ['open_log_file_cache max=3 foo;', 'invalid "open_log_file_cache" parameter "foo"'],
    ['open_log_file_cache max=3 inactive=x;', 'invalid "open_log_file_cache" parameter "inactive=x"'],
    ['open_log_file_cache max=3; open_log_file_cache off;', '"open_log_file_cache" directive is duplicate'],
    // ours
    ['access_log syslog:server=10.0.0.1 m buffer=4k;', 'logs to syslog cannot be buffered'],
    ['access_log l m gzip=4;', '"gzip=4" is not supported in "access_log", compress the logs when they are rotated'],
  ] as const;
  test.each(rows)('%s', (text, finding) => {
    expect(readLogs(FORMAT + text).findings).toEqual([`${finding} in nginx.conf:2`]);
  });
});

test.each([
  'log_format M other;',
  'log_format a escape=json;',
  'log_format a escape=none "$uri" b;',
  'access_log l M;',
  'access_log l combined;',
  'access_log l m; access_log off;',
  'access_log l m buffer=4k; access_log l m;',
  'access_log l m buffer=4k flush=5m; server { access_log l m buffer=4k flush=5m; }',
  'access_log l m if=$http_x buffer=32k flush=1s;',
  'open_log_file_cache max=10 inactive=20s valid=1m min_uses=2;',
  'open_log_file_cache off;',
])('is accepted: %s', (text) => {
  expect(readLogs(FORMAT + text).findings).toEqual([]);
});
