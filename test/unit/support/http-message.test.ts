import { describe, expect, it } from 'vitest';
import { readMessage } from '../../support/http-message.ts';

const response = (bytes: string, more: { hasEnded?: boolean; isToHead?: boolean } = {}) =>
  readMessage(bytes, 0, { isResponse: true, hasEnded: more.hasEnded ?? false, isToHead: more.isToHead ?? false });

describe('reading HTTP messages in tests', () => {
  it('waits for the rest of the head and of the body', () => {
    const whole = 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc';
    for (let i = 0; i < whole.length; i++) expect(response(whole.slice(0, i))).toBeUndefined();
    expect(response(whole)).toMatchObject({
      startLine: 'HTTP/1.1 200 OK',
      body: 'abc',
      isComplete: true,
      end: whole.length,
    });
  });

  it('takes chunked framing off and keeps trailers', () => {
    const whole = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\nX-T: 1\r\n\r\n';
    for (let i = 0; i < whole.length; i++) expect(response(whole.slice(0, i))).toBeUndefined();
    expect(response(whole)).toMatchObject({
      body: 'abc',
      framing: 'chunked',
      trailers: [['X-T', '1']],
      isComplete: true,
    });
  });

  it('reads until the close where nothing else is said', () => {
    const whole = 'HTTP/1.1 200 OK\r\n\r\nabc';
    expect(response(whole)).toBeUndefined();
    expect(response(whole, { hasEnded: true })).toMatchObject({
      body: 'abc',
      framing: 'until-close',
      isComplete: true,
    });
  });

  it('marks what broke off', () => {
    expect(response('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab', { hasEnded: true })).toMatchObject({
      body: 'ab',
      isComplete: false,
    });
    expect(response('HTTP/1.1 2', { hasEnded: true })).toMatchObject({ startLine: 'HTTP/1.1 2', isComplete: false });
  });

  it('expects no body after HEAD, 1xx, 204 and 304', () => {
    expect(response('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n', { isToHead: true })).toMatchObject({
      body: '',
      isComplete: true,
    });
    for (const status of ['100 Continue', '204 No Content', '304 Not Modified']) {
      expect(response(`HTTP/1.1 ${status}\r\nContent-Length: 3\r\n\r\n`)).toMatchObject({ body: '', isComplete: true });
    }
  });

  it('leaves pipelined messages alone', () => {
    const two = 'GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n';
    const first = readMessage(two, 0, { isResponse: false, hasEnded: false });
    expect(first).toMatchObject({ startLine: 'GET /1 HTTP/1.1', headers: [['Host', 'a']] });
    expect(readMessage(two, first?.end ?? 0, { isResponse: false, hasEnded: false })).toMatchObject({
      startLine: 'GET /2 HTTP/1.1',
      end: two.length,
    });
  });
});
