import { hostname } from 'node:os';
import { describe, expect, test } from 'vitest';
import type { Exchange } from '../../../../src/http/exchange.ts';
import { UpstreamResponseHead } from '../../../../src/http/upstream-response-head.ts';
import { CORE_VARIABLES } from '../../../../src/http/variables/core-variables.ts';
import { VariableRegistry } from '../../../../src/http/variables/variable-registry.ts';
import { fillBlock, type SampleRequest, sampleExchange } from './sample-exchange.ts';

const registry = new VariableRegistry(CORE_VARIABLES);

function valueOfVariable(name: string, ex: Exchange): string | null {
  return registry.variable(name)(ex);
}

type Row = readonly [name: string, value: string | null, sample?: SampleRequest];

describe('of the request', () => {
  const search = { line: 'GET /p?A=1&b=&bb=2&a=3&=x&c HTTP/1.1' };
  const cookies: SampleRequest = {
    fields: [
      ['Cookie', 'one=1; Two = 2 ;three=3=3,four=4; bad'],
      ['cookie', 'five=5'],
    ],
  };
  const many: SampleRequest = {
    fields: [
      ['X-Forwarded-For', '1.1.1.1'],
      ['x-forwarded-for', '2.2.2.2'],
      ['X-Own', 'a'],
      ['X-OWN', 'b'],
      ['X-Empty', ''],
      ['Host', 'Shown.example:80'],
    ],
  };
  const user = (text: string): SampleRequest => ({
    fields: [['Authorization', `Basic ${Buffer.from(text, 'latin1').toString('base64')}`]],
  });
  const rows: readonly Row[] = [
    ['request', 'GET /a?b=c HTTP/1.1'],
    ['request', '', { line: '' }],
    ['request_method', 'GET'],
    ['request_uri', '/a?b=c'],
    ['uri', '/a'],
    ['document_uri', '/a'],
    ['args', 'b=c'],
    ['query_string', 'b=c'],
    ['is_args', '?'],
    ['args', null, { line: 'GET /a HTTP/1.1' }],
    ['args', null, { line: 'GET /a? HTTP/1.1' }],
    ['is_args', '', { line: 'GET /a? HTTP/1.1' }],
    ['server_protocol', 'HTTP/1.1'],
    ['server_protocol', 'HTTP/1.0', { line: 'GET / HTTP/1.0' }],
    ['server_protocol', null, { line: 'GET /' }],
    ['server_name', 'first.example'],
    ['host', 'first.example'],
    ['request_length', '0'],
    ['request_body', null],
    ['request_body_file', null],
    ['request_port', ''],
    ['is_request_port', ''],
    ['pipe', '.'],
    // what does not happen here
    ['gzip_ratio', null],
    ['ssl_protocol', null],
    ['upstream_cache_status', null],
    ['proxy_protocol_addr', null],
    ['limit_rate', '0', { core: { limitRateBytes: 4096 } }],
    // arguments
    ['arg_a', '1', search],
    ['ARG_A', '1', search],
    ['arg_b', '', search],
    ['arg_bb', '2', search],
    ['arg_c', null, search],
    ['arg_d', null, search],
    ['arg_', null, search],
    // cookies
    ['cookie_one', '1', cookies],
    ['cookie_two', '2 ', cookies],
    ['cookie_three', '3=3,four=4', cookies],
    ['cookie_four', null, cookies],
    ['cookie_five', '5', cookies],
    ['cookie_bad', null, cookies],
    // fields
    ['http_x_forwarded_for', '1.1.1.1, 2.2.2.2', many],
    ['http_x_own', 'a, b', many],
    ['http_x_empty', '', many],
    ['http_host', 'Shown.example:80', many],
    ['http_user_agent', null, many],
    ['http_cookie', 'one=1; Two = 2 ;three=3=3,four=4; bad; five=5', cookies],
    ['content_type', 'text/plain', { fields: [['content-type', 'text/plain']] }],
    ['content_length', '12', { fields: [['Content-Length', '12']] }],
    ['content_length', null],
    // who
    ['remote_user', 'joe', user('joe:secret')],
    ['remote_user', null, user(':secret')],
    ['remote_user', null, user('joe')],
    ['remote_user', null, { fields: [['Authorization', 'Bearer abc']] }],
    ['remote_user', null, { fields: [['Authorization', 'Basic %%%']] }],
  ];
  for (const [name, value, sample] of rows) {
    test(`$${name} is ${JSON.stringify(value)}`, () => {
      expect(valueOfVariable(name, sampleExchange(sample))).toBe(value);
    });
  }

  test('$host is the validated one', () => {
    const ex = sampleExchange();
    ex.host = 'asked.example';
    expect(valueOfVariable('host', ex)).toBe('asked.example');
  });

  test.each([
    ['a.example', '', ''],
    ['a.example:', '', ''],
    ['a.example:8080', '8080', ':'],
    ['[::1]', '', ''],
    ['[::1]:443', '443', ':'],
  ])('the port of %s is %j', (rawHost, port, colon) => {
    const ex = sampleExchange();
    ex.request.rawHost = rawHost;
    expect(valueOfVariable('request_port', ex)).toBe(port);
    expect(valueOfVariable('is_request_port', ex)).toBe(colon);
  });

  test('a pipelined one says so', () => {
    const ex = sampleExchange();
    ex.isPipelined = true;
    expect(valueOfVariable('pipe', ex)).toBe('p');
  });

  test('$request_id stays the same within a request and is 32 digits', () => {
    const ex = sampleExchange();
    const id = valueOfVariable('request_id', ex);
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(valueOfVariable('request_id', ex)).toBe(id);
    expect(valueOfVariable('request_id', sampleExchange())).not.toBe(id);
  });
});

describe('of the connection', () => {
  const v6: SampleRequest = { connection: { remoteAddress: '2001:db8::ff:1', localAddress: '::1' } };
  const unix: SampleRequest = { connection: { unixPath: '/run/a.sock', remoteAddress: '', localAddress: '' } };
  const rows: readonly Row[] = [
    ['remote_addr', '127.0.0.1'],
    ['remote_addr', '2001:db8::ff:1', v6],
    ['remote_addr', 'unix:', unix],
    ['binary_remote_addr', '\x7f\0\0\x01'],
    ['binary_remote_addr', '\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\xff\0\x01', v6],
    ['binary_remote_addr', 'unix:', unix],
    ['remote_port', '40000'],
    ['remote_port', '', unix],
    ['server_addr', '127.0.0.2'],
    ['server_addr', '::1', v6],
    ['server_addr', 'unix:/run/a.sock', unix],
    ['server_port', '8080'],
    ['server_port', '', unix],
    ['connection', '7'],
    ['connection_requests', '3'],
    ['scheme', 'http'],
    ['scheme', 'https', { connection: { isTls: true } }],
    ['https', ''],
    ['https', 'on', { connection: { isTls: true } }],
    ['pid', String(process.pid)],
    ['hostname', hostname().toLowerCase()],
  ];
  for (const [name, value, sample] of rows) {
    test(`$${name} is ${JSON.stringify(value)}`, () => {
      expect(valueOfVariable(name, sampleExchange(sample))).toBe(value);
    });
  }
});

describe('of the response', () => {
  function answered(): Exchange {
    const ex = sampleExchange({ core: { keepaliveHeaderSec: 20 } });
    ex.response.status = 200;
    ex.response.contentType = 'text/html';
    ex.response.contentLength = 5;
    ex.response.add('X-One', 'a');
    ex.response.add('x-one', 'b');
    ex.response.add('Location', '/next');
    const head = new UpstreamResponseHead();
    fillBlock(head.headers, [
      ['X-One', 'from peer'],
      ['X-Hidden', 'h'],
    ]);
    head.headers.hidden[1] = 1;
    ex.response.passed = head.headers;
    ex.keepAlive = true;
    ex.bytesSent = 205;
    ex.bodyBytesSent = 5;
    ex.isComplete = true;
    return ex;
  }
  const rows: readonly (readonly [name: string, value: string | null])[] = [
    ['status', '200'],
    ['bytes_sent', '205'],
    ['body_bytes_sent', '5'],
    ['request_completion', 'OK'],
    ['sent_http_content_type', 'text/html'],
    ['sent_http_content_length', '5'],
    ['sent_http_x_one', 'from peer, a, b'],
    ['sent_http_x_hidden', null],
    ['sent_http_location', '/next'],
    ['sent_http_connection', 'keep-alive'],
    ['sent_http_keep_alive', 'timeout=20'],
    ['sent_http_transfer_encoding', null],
    ['sent_http_last_modified', null],
    ['sent_http_server', null],
    ['sent_http_x_none', null],
  ];
  test.each(rows)('$%s is %j', (name, value) => {
    expect(valueOfVariable(name, answered())).toBe(value);
  });

  test('without a length it is chunked', () => {
    const ex = answered();
    ex.response.contentLength = -1;
    expect(valueOfVariable('sent_http_transfer_encoding', ex)).toBe('chunked');
    expect(valueOfVariable('sent_http_content_length', ex)).toBeNull();
  });

  test('nothing was sent', () => {
    expect(valueOfVariable('status', sampleExchange())).toBe('000');
    expect(valueOfVariable('status', sampleExchange({ line: 'GET /' }))).toBe('009');
    expect(valueOfVariable('request_completion', sampleExchange())).toBe('');
    expect(valueOfVariable('sent_http_connection', sampleExchange())).toBeNull();
  });
});

describe('of the upstream', () => {
  const lists = [
    ['upstream_addr', '10.0.0.1:80, 10.0.0.2:80 : unix:/run/b.sock'],
    ['upstream_status', '502, 200 : -'],
    ['upstream_connect_time', '-, 0.001 : 1.500'],
    ['upstream_header_time', '-, 0.012 : -'],
    ['upstream_response_time', '0.000, 12.345 : 60.000'],
    ['upstream_response_length', '0, 5 : 0'],
    ['upstream_bytes_received', '0, 120 : 0'],
    ['upstream_bytes_sent', '0, 80 : 81'],
  ] as const;
  test.each(lists)('$%s lists every attempt: %s', (name, value) => {
    const ex = sampleExchange();
    expect(valueOfVariable(name, ex)).toBeNull();
    Object.assign(ex.nextAttempt(), { address: '10.0.0.1:80', status: 502, responseMs: 0 });
    Object.assign(ex.nextAttempt(), {
      address: '10.0.0.2:80',
      status: 200,
      connectMs: 1.4,
      headerMs: 12,
      responseMs: 12_345.9,
      responseLength: 5,
      bytesReceived: 120,
      bytesSent: 80,
    });
    Object.assign(ex.nextAttempt(), {
      address: 'unix:/run/b.sock',
      connectMs: 1500,
      responseMs: 60_000,
      bytesSent: 81,
      startsGroup: true,
    });
    expect(valueOfVariable(name, ex)).toBe(value);
  });

  test('fields and cookies come from the last response, hidden ones too', () => {
    const ex = sampleExchange();
    expect(valueOfVariable('upstream_http_x_a', ex)).toBeNull();
    expect(valueOfVariable('upstream_cookie_sid', ex)).toBeNull();
    const head = new UpstreamResponseHead();
    fillBlock(head.headers, [
      ['X-A', '1'],
      ['x-a', '2'],
      ['Server', 'peer'],
      ['Set-Cookie', 'other=9; Path=/'],
      ['Set-Cookie', 'SID=abc; Path=/'],
    ]);
    head.headers.hidden[2] = 1;
    ex.upstreamHead = head;
    expect(valueOfVariable('upstream_http_x_a', ex)).toBe('1, 2');
    expect(valueOfVariable('upstream_http_server', ex)).toBe('peer');
    expect(valueOfVariable('upstream_http_set_cookie', ex)).toBe('other=9; Path=/, SID=abc; Path=/');
    expect(valueOfVariable('upstream_cookie_sid', ex)).toBe('abc');
    expect(valueOfVariable('upstream_cookie_path', ex)).toBeNull();
  });
});
