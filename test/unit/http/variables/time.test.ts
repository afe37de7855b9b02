import { describe, expect, test } from 'vitest';
import { nowMs } from '../../../../src/core/clock.ts';
import { CORE_VARIABLES } from '../../../../src/http/variables/core-variables.ts';
import { secondsText } from '../../../../src/http/variables/number-format.ts';
import { timeIso8601, timeLocal } from '../../../../src/http/variables/time-variables.ts';
import { VariableRegistry } from '../../../../src/http/variables/variable-registry.ts';
import { sampleExchange } from './sample-exchange.ts';

describe('the time as text', () => {
  // 2026-01-31 12:00:05.250 UTC and 2026-07-01 00:00:00 UTC
  const WINTER_MS = 1_769_860_805_250;
  const SUMMER_MS = 1_782_864_000_000;
  const rows = [
    ['UTC', WINTER_MS, '31/Jan/2026:12:00:05 +0000', '2026-01-31T12:00:05+00:00'],
    ['Europe/Berlin', SUMMER_MS, '01/Jul/2026:02:00:00 +0200', '2026-07-01T02:00:00+02:00'],
    ['America/St_Johns', WINTER_MS, '31/Jan/2026:08:30:05 -0330', '2026-01-31T08:30:05-03:30'],
    ['Asia/Kathmandu', SUMMER_MS, '01/Jul/2026:05:45:00 +0545', '2026-07-01T05:45:00+05:45'],
  ] as const;
  test.each(rows)('in %s', (zone, ms, local, iso) => {
    const before = process.env['TZ'];
    process.env['TZ'] = zone;
    timeLocal(0); // another second: what was kept is made anew
    expect(timeLocal(ms)).toBe(local);
    expect(timeIso8601(ms)).toBe(iso);
    if (before === undefined) delete process.env['TZ'];
    else process.env['TZ'] = before;
    timeLocal(0);
  });
});

test.each([
  [0, '0.000'],
  [0.9, '0.000'],
  [1, '0.001'],
  [999.99, '0.999'],
  [1000, '1.000'],
  [61_050, '61.050'],
  [-3, '0.000'],
])('%d ms are %s seconds', (ms, text) => {
  expect(secondsText(ms)).toBe(text);
});

test('spans and the present second', () => {
  const registry = new VariableRegistry(CORE_VARIABLES);
  const ex = sampleExchange({ connection: { acceptedAtMs: nowMs() - 5000 } });
  ex.startedAtMs = nowMs() - 1234;
  expect(Number(registry.variable('request_time')(ex))).toBeCloseTo(1.234, 1);
  expect(Number(registry.variable('connection_time')(ex))).toBeCloseTo(5, 1);
  expect(Number(registry.variable('msec')(ex))).toBeCloseTo(Date.now() / 1000, 0);
  expect(registry.variable('time_local')(ex)).toMatch(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}$/);
});
