import { describe, expect, it } from 'vitest';
import { goneAway, sessionFailure, streamReset } from '../../../src/h2/upstream-failure.ts';
import { headBytesOf, upstreamRequestHead } from '../../../src/h2/upstream-request-head.ts';
import { fieldBytes, readResponseHead, readTrailers } from '../../../src/h2/upstream-response-fields.ts';
import { HEADER_ID } from '../../../src/http/known-header.ts';
import { UpstreamRequest } from '../../../src/http/upstream-connection.ts';
import { UpstreamResponseHead } from '../../../src/http/upstream-response-head.ts';

function request(...added: string[]): UpstreamRequest {
  const made = new UpstreamRequest();
  made.method = 'GET';
  made.target = '/a?b';
  made.added.push(...added);
  return made;
}

const PSEUDO = [':method', 'GET', ':scheme', 'http', ':authority', 'peer:80', ':path', '/a?b'];

describe('a request', () => {
  const fieldsOf = (...added: string[]): string[] => upstreamRequestHead(request(...added), 'http', 'peer:80');

  it('begins with its pseudo-fields; names are in lower case, values as they are', () => {
    expect(fieldsOf('X-A', 'B\xe4', 'x-a', 'C')).toEqual([...PSEUDO, 'x-a', 'B\xe4', 'x-a', 'C']);
  });

  it('Host is the authority; a second one is lost', () => {
    const head = upstreamRequestHead(request('Host', 'one', 'HOST', 'two'), 'https', 'peer');
    expect(head).toEqual([':method', 'GET', ':scheme', 'https', ':authority', 'one', ':path', '/a?b']);
  });

  it('what speaks of a connection is not sent', () => {
    expect(
      fieldsOf(
        'Connection',
        'close',
        'Keep-Alive',
        '5',
        'Proxy-Connection',
        'x',
        'Transfer-Encoding',
        'chunked',
        'Upgrade',
        'x',
        'HTTP2-Settings',
        'x',
      ),
    ).toEqual(PSEUDO);
  });

  it.each([
    ['trailers', ['te', 'trailers']],
    ['gzip, Trailers;q=1', ['te', 'trailers']],
    ['gzip', []],
    ['nottrailers', []],
  ])('TE: %s', (value, sent) => {
    expect(fieldsOf('TE', value).slice(PSEUDO.length)).toEqual(sent);
  });

  it('counts as many bytes as in HTTP/1', () => {
    expect(headBytesOf(['a', 'bc'])).toBe('a: bc\r\n\r\n'.length);
  });
});

describe('a response', () => {
  function read(raw: string[], isHead = false, hasBody = true): { head: UpstreamResponseHead; refusal: string } {
    const head = new UpstreamResponseHead();
    return { head, refusal: readResponseHead(head, raw, isHead, hasBody) };
  }

  it('keeps order, case of values and bytes', () => {
    const { head, refusal } = read([':status', '299', 'x-a', '\xe4', 'set-cookie', 'A=1', 'set-cookie', 'B=2']);
    expect(refusal).toBe('');
    expect([head.status, head.framing, head.keepAlive]).toEqual([299, 'chunked', true]);
    const fields = Array.from({ length: head.headers.count }, (_, i) => [head.headers.name(i), head.headers.value(i)]);
    expect(fields).toEqual([
      ['x-a', '\xe4'],
      ['set-cookie', 'A=1'],
      ['set-cookie', 'B=2'],
    ]);
    expect(head.headers.id(1)).toBe(HEADER_ID['set-cookie']);
    expect(head.statusLine).toMatch(/^299/);
  });

  it.each<[string[], boolean, boolean, string, number]>([
    [['content-length', '5'], false, true, 'length', 5],
    [['content-length', '0'], false, true, 'none', 0],
    [['content-length', '5'], true, false, 'none', 5],
    [[], false, false, 'none', -1],
    [[], false, true, 'chunked', -1],
  ])('%j, to HEAD: %s, a body: %s', (fields, isHead, hasBody, framing, length) => {
    const { head } = read([':status', '200', ...fields], isHead, hasBody);
    expect([head.framing, head.contentLength]).toEqual([framing, length]);
  });

  it.each([204, 304, 103])('%i has no body', (status) => {
    expect(read([':status', String(status)]).head.framing).toBe('none');
  });

  it.each<[string[], string]>([
    [['x', '1'], 'upstream sent invalid header: no valid ":status"'],
    [[':status', 'abc'], 'upstream sent invalid header: no valid ":status"'],
    [[':status', '99'], 'upstream sent invalid header: no valid ":status"'],
    [['x', ':status', '200', 'y'], 'upstream sent invalid header: no valid ":status"'],
    [[':status', '200', 'content-length', '-1'], 'upstream sent invalid "Content-Length" header: "-1"'],
    [
      [':status', '200', 'content-length', '1', 'content-length', '1'],
      'upstream sent duplicate header line: "Content-Length"',
    ],
  ])('%j is refused', (raw, refusal) => {
    expect(read(raw).refusal).toBe(refusal);
  });

  it('what speaks of a connection never comes through', () => {
    const { head } = read([
      ':status',
      '200',
      'connection',
      'x',
      'transfer-encoding',
      'chunked',
      'upgrade',
      'h2c',
      'x-a',
      '1',
    ]);
    expect(head.headers.count).toBe(1);
  });

  it('is as long as its fields, however long', () => {
    const raw = [':status', '200', 'x-long', 'x'.repeat(100_000)];
    const { head } = read(raw);
    expect(head.headers.value(0).length).toBe(100_000);
    expect(fieldBytes(raw)).toBeGreaterThan(100_000);
  });

  it('trailers', () => {
    expect(readTrailers(['x-sum', '1'])?.get('x-sum')).toBe('1');
    expect(readTrailers([':status', '200'])).toBe(null);
  });
});

describe('failures', () => {
  it.each([
    [streamReset(7), 'read-failed', 'upstream rejected request with error 7 (REFUSED_STREAM)'],
    [streamReset(99), 'read-failed', 'upstream rejected request with error 99'],
    [
      streamReset(1),
      'invalid-response',
      'upstream sent invalid response or reset the stream with error 1 (PROTOCOL_ERROR)',
    ],
    [goneAway(11), 'read-failed', 'upstream sent goaway with error 11 (ENHANCE_YOUR_CALM)'],
    [sessionFailure(null), 'premature-close', 'upstream prematurely closed connection'],
    [
      sessionFailure(Object.assign(new Error('x'), { code: 'ECONNRESET', syscall: 'read' })),
      'read-failed',
      'recv() failed (104: Connection reset by peer)',
    ],
    [
      sessionFailure(Object.assign(new Error('x'), { code: 'EPIPE', syscall: 'write' })),
      'send-failed',
      'send() failed (32: Broken pipe)',
    ],
    [
      sessionFailure(Object.assign(new Error('Protocol error'), { code: 'ERR_HTTP2_ERROR' })),
      'invalid-response',
      'upstream sent invalid HTTP/2: Protocol error',
    ],
  ])('%s', (error, code, text) => {
    expect([error.code, error.message, error.side, error.status]).toEqual([code, text, 'upstream', 502]);
  });
});
