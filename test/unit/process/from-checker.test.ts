import { expect, test } from 'vitest';
import { isFromChecker } from '../../../src/process/checker-messages.ts';

const REPORT = { check: 'k', peer: 'u 127.0.0.1:1 0', isPassed: true, doing: 'checking', reason: '', tookMs: 1.5 };

test('what the health check process says is looked at', () => {
  expect(isFromChecker({ type: 'report', report: REPORT })).toBe(true);
  expect(isFromChecker({ type: 'fault', text: 'a bug' })).toBe(true);
});

test.each([
  null,
  'report',
  {},
  { type: 'swap', report: REPORT },
  { type: 'report' },
  { type: 'fault', text: 1 },
  { type: 'report', report: null },
  { type: 'report', report: { ...REPORT, peer: 1 } },
  { type: 'report', report: { ...REPORT, isPassed: 'yes' } },
  { type: 'report', report: { ...REPORT, tookMs: Number.NaN } },
  { type: 'report', report: { ...REPORT, reason: 'x'.repeat(100_000) } },
])('no message: %j', (message) => {
  expect(isFromChecker(message)).toBe(false);
});
