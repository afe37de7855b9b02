import { describe, expect, test } from 'vitest';
import { PostgresFrames } from '../../../src/probe/postgres-frames.ts';

function message(type: string, payload: string): string {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(payload.length + 4);
  return type + length.toString('latin1') + payload;
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

/** What is let through of pieces; null: refused. */
function taken(...pieces: string[]): string | null {
  const frames = new PostgresFrames();
  let out = '';
  for (const piece of pieces) {
    const messages = frames.take(bytes(piece));
    if (messages === null) return null;
    out += messages.toString('latin1');
  }
  return out;
}

const LOGIN = message('R', '\0\0\0\0') + message('S', 'a\0b\0') + message('N', 'SNOTE\0Mhello\0\0') + message('Z', 'I');

test('whole messages pass as they came, wherever they are split', () => {
  for (let at = 0; at <= LOGIN.length; at++) expect(taken(LOGIN.slice(0, at), LOGIN.slice(at))).toBe(LOGIN);
  expect(taken(...LOGIN)).toBe(LOGIN);
});

test('a message is held back until it is whole, and does not depend on the buffer it came in', () => {
  const frames = new PostgresFrames();
  const piece = bytes(LOGIN.slice(0, 12));
  expect(frames.take(piece)?.toString('latin1')).toBe(message('R', '\0\0\0\0'));
  piece.fill(0xff);
  expect(frames.take(bytes(LOGIN.slice(12)))?.toString('latin1')).toBe(LOGIN.slice(9));
});

describe('refused', () => {
  test.each([
    ['another protocol', 'HTTP/1.1 400'],
    ['a copy, which nobody asked for', message('G', '\0\0\0')],
    ['a length below its own', 'Z\0\0\0\x03'],
    ['a length beyond reason', 'D\x7f\xff\xff\xff'],
    ['an error without an end', message('E', 'Mno')],
    ['an error whose last text ends and that does not', message('E', 'Mno\0')],
    ['an error with something behind its end', message('E', 'Mno\0\0x')],
    ['an error with nothing in it', message('E', '')],
  ])('%s', (_, text) => {
    expect(taken(LOGIN + text)).toBe(null);
    expect(taken(LOGIN, text)).toBe(null);
  });
});
