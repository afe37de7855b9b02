import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AcceptGate } from '../../../src/process/accept-gate.ts';
import { OpenFilesGuard } from '../../../src/process/open-files-guard.ts';

let open = 0;
let idle = 0;
let lines: string[] = [];
let steps: string[] = [];
let gate: AcceptGate;

beforeEach(() => {
  vi.useFakeTimers();
  open = idle = 0;
  lines = [];
  steps = [];
  gate = new AcceptGate(
    {
      log: { isEnabled: () => true, write: (level, text) => void lines.push(`${level} ${text}`) },
      connectionCount: () => open,
      closeIdle: () => {
        const closed = Math.min(idle, 1);
        idle -= closed;
        open -= closed;
        return closed;
      },
      pause: () => void steps.push('pause'),
      resume: () => void steps.push('resume'),
    },
    new OpenFilesGuard(Number.POSITIVE_INFINITY),
  );
  gate.limitTo(16);
});
afterEach(() => {
  vi.useRealTimers();
});

function accept(count: number): void {
  for (let i = 0; i < count; i++) {
    open++;
    gate.onAccepted();
  }
}

test('plenty of room: nothing happens', () => {
  accept(15);
  expect([lines, steps]).toEqual([[], []]);
});

test('full and all busy: one line, a pause, and a look for room every 100 ms', () => {
  accept(16);
  expect(steps).toEqual(['pause']);
  vi.advanceTimersByTime(1000);
  expect(steps).toEqual(['pause']);
  open--;
  vi.advanceTimersByTime(100);
  expect(steps).toEqual(['pause', 'resume']);
  accept(1);
  expect(steps).toEqual(['pause', 'resume', 'pause']);
  expect(lines).toEqual(['alert 16 worker_connections are not enough, accepting pauses']);
});

test('full with idle connections: they make room while accepting pauses', () => {
  idle = 8;
  accept(16);
  expect(steps).toEqual(['pause']);
  vi.advanceTimersByTime(100);
  expect(steps).toEqual(['pause', 'resume']);
});

test('nearly full: idle ones make room, which is said once', () => {
  gate.limitTo(32);
  idle = 8;
  accept(36);
  expect(steps).toEqual([]);
  expect(lines).toEqual(['warn 32 worker_connections are not enough, reusing connections']);
});

test('an address that a reload opens during the pause is paused too', () => {
  accept(16);
  accept(1);
  expect(steps).toEqual(['pause', 'pause']);
  open = 0;
  vi.advanceTimersByTime(100);
  expect(steps).toEqual(['pause', 'pause', 'resume']);
});

test('a limit that is raised lets accepting go on', () => {
  accept(16);
  gate.limitTo(64);
  vi.advanceTimersByTime(100);
  expect(steps).toEqual(['pause', 'resume']);
});
