import { expect, test } from 'vitest';
import { exitLine } from '../../../src/process/exit-line.ts';
import { RespawnDelay } from '../../../src/process/respawn-delay.ts';

test.each([
  [{ code: 0, signal: null }, 'notice', 'worker process 7 exited with code 0'],
  [{ code: 1, signal: null }, 'notice', 'worker process 7 exited with code 1'],
  [{ code: 2, signal: null }, 'alert', 'worker process 7 exited with fatal code 2 and cannot be respawned'],
  [{ code: null, signal: 'SIGKILL' }, 'alert', 'worker process 7 exited on signal 9'],
  [{ code: null, signal: 'SIGSEGV' }, 'alert', 'worker process 7 exited on signal 11'],
  [{ code: null, signal: 'SIGTERM' }, 'notice', 'worker process 7 exited on signal 15'],
] as const)('%j', (exit, level, text) => {
  expect(exitLine(7, exit)).toEqual({ level, text });
});

test('a worker that has served is replaced at once, those that die at start later and later', () => {
  const delay = new RespawnDelay();
  expect([true, false, false, false].map((hasServed) => delay.afterDeath(hasServed))).toEqual([0, 100, 200, 400]);
  for (let i = 0; i < 20; i++) delay.afterDeath(false);
  expect(delay.afterDeath(false)).toBe(5000);
  expect(delay.afterDeath(true)).toBe(0);
  expect(delay.afterDeath(false)).toBe(100);
});
