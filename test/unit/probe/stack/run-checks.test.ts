import { describe, expect, test } from 'vitest';
import { failed, type Probe, passed, timedOut } from '../../../../src/probe/probe.ts';
import { hideSecrets } from '../../../../src/probe/stack/hide-secrets.ts';
import { runChecks } from '../../../../src/probe/stack/run-checks.ts';
import type { StackCheck } from '../../../../src/probe/stack/stack-check.ts';

function check(label: string, run: Probe['run']): StackCheck {
  return { kind: 'backend', label, target: { kind: 'tcp', host: 'h', port: 1 }, probe: { run } };
}

const obedient: Probe['run'] = (_, signal) =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(timedOut('reading the body'))));

describe('a round of checks', () => {
  test('fails closed: what hangs, what throws, what ignores the end of its time; the others are not held up', async () => {
    const outcomes = await runChecks(
      [
        check('well', () => Promise.resolve(passed('checking status code', { status: 200 }))),
        check('bad', () => Promise.resolve(failed('checking status code', 'status 500, 200 expected'))),
        check('hangs', obedient),
        check('throws', () => Promise.reject(new Error('a fault of the probe'))),
        check('deaf', () => new Promise(() => undefined)),
      ],
      { timeoutMs: 20 },
    );
    expect(outcomes.map(({ label, isHealthy, reason }) => [label, isHealthy, reason])).toEqual([
      ['well', true, ''],
      ['bad', false, 'status 500, 200 expected'],
      ['hangs', false, 'timed out after 20 ms, reading the body'],
      ['throws', false, 'a fault of the probe'],
      ['deaf', false, 'timed out after 20 ms, waiting for the probe'],
    ]);
  });

  test('can be ended early', async () => {
    const end = new AbortController();
    const round = runChecks([check('hangs', obedient)], { timeoutMs: 60_000, signal: end.signal });
    end.abort();
    expect((await round)[0]).toMatchObject({ isHealthy: false });
  });
});

describe('secrets', () => {
  test('are taken out of what a server says', async () => {
    const [outcome] = await runChecks(
      [check('x', () => Promise.resolve(failed('logging in', 'no user with "hunter2"', { echo: 'hunter2!', n: 2 })))],
      { timeoutMs: 1000 },
    );
    if (outcome === undefined) throw new Error('no outcome');
    const shown = hideSecrets(outcome, ['hunter2', 'n']);
    expect(shown).toMatchObject({ reason: 'no user with "(hidden)"', facts: { echo: '(hidden)!', n: 2 } });
  });
});
