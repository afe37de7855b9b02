import { expect, test } from 'vitest';
import { HeaderBlock } from '../../../src/http/header-block.ts';

function blockOf(value: string): HeaderBlock {
  const bytes = Buffer.from(`Host: ${value}\r\n`, 'latin1');
  const block = new HeaderBlock();
  block.reset(bytes);
  block.add(0, 4, 6, 6 + value.length, 1);
  return block;
}

test.each([
  ['a.example', 'a.example', true],
  ['a.example', 'b.example', false],
  ['a.example', 'a.exampl', false],
  ['a.example', 'a.example:80', false],
  ['a.example', 'A.example', false],
  ['', '', true],
  ['\xe9', '\xe9', true],
  ['\xe9', 'e', false],
])('value %j is %j: %s', (value, text, expected) => {
  expect(blockOf(value).hasValue(0, text)).toBe(expected);
});
