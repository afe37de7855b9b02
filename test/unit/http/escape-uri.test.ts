import { expect, test } from 'vitest';
import { escapeArgs, escapeUri, escapeUriComponent } from '../../../src/http/escape-uri.ts';

const ALL = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));
const kept = (escaped: (text: string) => string) => ALL.filter((char) => escaped(char) === char).join('');

test('a path keeps what may stand in it', () => {
  expect(kept(escapeUri)).toBe("!$&'()*+,-./0123456789:;=@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]_abcdefghijklmnopqrstuvwxyz~");
});

test('a query keeps no & and +', () => {
  expect(kept(escapeArgs)).toBe("!$'()*,-./0123456789:;=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]_abcdefghijklmnopqrstuvwxyz~");
});

test('a component keeps letters, digits and four marks', () => {
  expect(kept(escapeUriComponent)).toBe('-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~');
});

test('the rest is written in capitals', () => {
  expect(escapeUri('/a b\xe2\x82\xac%?')).toBe('/a%20b%E2%82%AC%25%3F');
});
