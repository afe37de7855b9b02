import { describe, expect, test } from 'vitest';
import { type CheckState, combined, newCheckView, observe } from '../../../../src/policy/health/check-machine.ts';

/** `+` passed, `-` failed; behind each result the state: U up, C checking, X unhealthy. */
const TABLE: readonly (readonly [start: CheckState, fails: number, passes: number, course: string])[] = [
  ['up', 1, 1, '+U -X +U -X -X +U'],
  ['up', 3, 1, '-U -U -X -X +U -U -U +U -U -U -X'],
  ['up', 1, 3, '-X +X +X -X +X +X +U'],
  ['up', 2, 2, '-U +U -U -X +X -X +X +U -U +U'],
  ['checking', 1, 1, '+U -X'],
  ['checking', 1, 1, '-X +U'],
  // One pass is enough to begin with, failures want their number.
  ['checking', 3, 3, '-C -C +U -U -U -X'],
  ['checking', 3, 3, '-C -C -X +X +X +U'],
  ['unhealthy', 1, 2, '+X +U'],
];
const LETTERS: Readonly<Record<CheckState, string>> = { up: 'U', checking: 'C', unhealthy: 'X' };

describe('so many in a row flip a peer', () => {
  test.each(TABLE)('from %s, fails=%i passes=%i: %s', (start, fails, passes, course) => {
    const view = newCheckView(start);
    let flips = 0;
    let changes = 0;
    for (const step of course.split(' ')) {
      const before = view.state;
      const flip = observe(view, { fails, passes }, step.startsWith('+'));
      expect(`${step[0]}${LETTERS[view.state]}`).toBe(step);
      if (flip !== 'none') flips++;
      if (view.state !== before) changes++;
      expect(flip).toBe(view.state === before ? 'none' : view.state === 'up' ? 'healthy' : 'unhealthy');
      expect(view.passes * view.fails).toBe(0);
    }
    expect(flips).toBe(changes);
  });

  test.each([
    [[], 'up'],
    [['up', 'up'], 'up'],
    [['up', 'checking'], 'checking'],
    [['unhealthy', 'checking', 'up'], 'unhealthy'],
  ] as const)('several checks, %j: %s', (states, all) => {
    expect(combined(states)).toBe(all);
  });
});
