import { expect, test } from 'vitest';
import { compileGroup, compileText } from '../../../support/compile-text.ts';
import { ask } from '../../../support/fake-client-stream.ts';

test('shares are kept', () => {
  const group = compileGroup('split_clients $arg_v $s { 10% a; 30% b; * c; } server { listen 8080; return 200 $s; }');
  const counts = { a: 0, b: 0, c: 0 };
  for (let i = 0; i < 5000; i++) counts[ask(group, { target: `/?v=user-${i}` }).body as keyof typeof counts]++;
  expect(Math.abs(counts.a - 500)).toBeLessThan(75);
  expect(Math.abs(counts.b - 1500)).toBeLessThan(150);
  expect(counts.a + counts.b + counts.c).toBe(5000);
});

test('what no share covers is empty', () => {
  const group = compileGroup('split_clients $arg_v $s { 0.01% a; } server { listen 8080; return 200 "[$s]"; }');
  expect(ask(group, { target: '/?v=x' }).body).toBe('[]');
});

test.each([
  ['60% a; 60% b;', 'percent total is greater than 100% in test.conf:5'],
  ['0% a;', 'invalid percent value "0%" in test.conf:4'],
  ['1.234% a;', 'invalid percent value "1.234%" in test.conf:4'],
  ['half a;', 'invalid percent value "half" in test.conf:4'],
])('%s is refused', (lines, finding) => {
  expect(compileText(`split_clients $host $s {\n${lines}\n}`).findings).toEqual([`emerg: ${finding}`]);
});
