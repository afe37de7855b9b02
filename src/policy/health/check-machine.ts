/** What active checks say of a peer. checking: nothing yet, and `mandatory`, so it gets no requests before its first pass. */
export const CHECK_STATES = ['up', 'checking', 'unhealthy'] as const;
export type CheckState = (typeof CHECK_STATES)[number];

/** One check's view of one peer. */
export interface CheckView {
  state: CheckState;
  /** Passes and failures in a row: of the two, one is always zero. */
  passes: number;
  fails: number;
}

/** `fails=` and `passes=`: how many in a row flip a peer; 1 or more. */
export interface CheckRule {
  readonly fails: number;
  readonly passes: number;
}

/** What a result changed, once for each flip. */
export type CheckFlip = 'none' | 'healthy' | 'unhealthy';

/** A result, with what it completes. `enough`: the last of as many in a row as the rule wants. */
type CheckEvent = 'passed' | 'passed enough' | 'failed' | 'failed enough';

const NEXT: Readonly<Record<CheckState, Readonly<Record<CheckEvent, CheckState>>>> = {
  up: { passed: 'up', 'passed enough': 'up', failed: 'up', 'failed enough': 'unhealthy' },
  // One pass is all that it waits for, whatever `passes` says.
  checking: { passed: 'up', 'passed enough': 'up', failed: 'checking', 'failed enough': 'unhealthy' },
  unhealthy: { passed: 'unhealthy', 'passed enough': 'up', failed: 'unhealthy', 'failed enough': 'unhealthy' },
};

export function newCheckView(state: CheckState): CheckView {
  return { state, passes: 0, fails: 0 };
}

/** One more result. */
export function observe(view: CheckView, rule: CheckRule, isPassed: boolean): CheckFlip {
  const before = view.state;
  view.passes = isPassed ? Math.min(view.passes + 1, rule.passes) : 0;
  view.fails = isPassed ? 0 : Math.min(view.fails + 1, rule.fails);
  const isEnough = isPassed ? view.passes >= rule.passes : view.fails >= rule.fails;
  const event: CheckEvent = isPassed ? (isEnough ? 'passed enough' : 'passed') : isEnough ? 'failed enough' : 'failed';
  view.state = NEXT[before][event];
  if (view.state === before) return 'none';
  return view.state === 'up' ? 'healthy' : 'unhealthy';
}

/** Several checks of one peer: a single one that fails is enough to put it out, and each must have passed once. */
export function combined(states: Iterable<CheckState>): CheckState {
  let worst: CheckState = 'up';
  for (const state of states) {
    if (CHECK_STATES.indexOf(state) > CHECK_STATES.indexOf(worst)) worst = state;
  }
  return worst;
}
