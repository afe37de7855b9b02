import { describe, expect, test } from 'vitest';
import type { ProbeFacts } from '../../../../src/probe/probe.ts';
import { outcomeName } from '../../../../src/probe/stack/describe-outcome.ts';
import { judgeStack } from '../../../../src/probe/stack/judge-stack.ts';
import type { CheckKind, CheckOutcome } from '../../../../src/probe/stack/stack-check.ts';

function seen(kind: CheckKind, label: string, facts: ProbeFacts): CheckOutcome {
  return { kind, label, isHealthy: true, doing: '', reason: '', facts, durationMs: 1 };
}

function down(kind: CheckKind, label: string): CheckOutcome {
  return { ...seen(kind, label, {}), isHealthy: false, doing: 'connecting', reason: 'connection refused' };
}

/** A line per outcome: `✓ NAME LABEL` or `✗ NAME LABEL: reason`. */
function judged(...outcomes: CheckOutcome[]): string[] {
  return judgeStack(outcomes, { maxLagBytes: 1000, masterName: 'mymaster' }).map((outcome) => {
    const { isHealthy, label, reason } = outcome;
    return `${isHealthy ? '✓' : '✗'} ${outcomeName(outcome)} ${label}${isHealthy ? '' : `: ${reason}`}`;
  });
}

const pg = (label: string, role: string, more: ProbeFacts = {}, kind: CheckKind = 'postgres'): CheckOutcome =>
  seen(kind, label, { role, system_identifier: '7', timeline: 1, ...more });
const redis = (label: string, role: string, more: ProbeFacts = {}, kind: CheckKind = 'redis'): CheckOutcome =>
  seen(kind, label, {
    role,
    replication_id: 'aa',
    run_id: `run-${label}`,
    address: `10.0.0.1:${label}`,
    offset: 5000,
    ...more,
  });
const sentinel = (label: string, master: string, more: ProbeFacts = {}): CheckOutcome =>
  seen('sentinel', label, { master, master_run_id: null, quorum: 2, ...more });

describe('PostgreSQL servers whose roles are found', () => {
  test('one primary, its replica: well, named by what they are', () => {
    expect(judged(pg('a', 'primary'), pg('b', 'replica'))).toEqual([
      '✓ PostgreSQL primary a',
      '✓ PostgreSQL replica b',
    ]);
  });

  test('the roles may change places, as long as both are there', () => {
    expect(judged(pg('a', 'replica'), pg('b', 'primary'))).toEqual([
      '✓ PostgreSQL replica a',
      '✓ PostgreSQL primary b',
    ]);
  });

  test('nobody is primary', () => {
    expect(judged(down('postgres', 'a'), pg('b', 'replica'))).toEqual([
      '✗ PostgreSQL server a: connection refused',
      '✓ PostgreSQL replica b',
      '✗ PostgreSQL primary a, b: none of them is seen to be primary',
    ]);
  });

  test('two are primary: neither is well, whatever else is wrong with them', () => {
    const lame = { ...pg('b', 'primary', { timeline: 2 }), isHealthy: false, reason: 'slot s is inactive' };
    expect(judged(pg('a', 'primary'), lame)).toEqual([
      '✗ PostgreSQL primary a: 2 servers are primary: a, b',
      '✗ PostgreSQL primary b: 2 servers are primary: a, b; slot s is inactive',
    ]);
  });

  test('a replica of another cluster, and one left behind on an old time line', () => {
    expect(
      judged(pg('a', 'primary', { timeline: 2 }), pg('b', 'replica', { system_identifier: '8' }), pg('c', 'replica')),
    ).toEqual([
      '✓ PostgreSQL primary a',
      '✗ PostgreSQL replica b: it is a replica of another cluster, not of a',
      '✗ PostgreSQL replica c: it follows time line 1, the primary a is on 2',
    ]);
  });
});

describe('PostgreSQL servers whose roles are given', () => {
  test('are called by the role that was asked for', () => {
    const mistaken = { ...pg('a', 'replica', {}, 'postgres_primary'), isHealthy: false, reason: 'role is replica' };
    expect(judged(mistaken)).toEqual(['✗ PostgreSQL primary a: role is replica']);
  });

  test('two primaries of one cluster are one too many, those of two clusters are not', () => {
    const two = (identifier: string): string[] =>
      judged(
        pg('a', 'primary', {}, 'postgres_primary'),
        pg('b', 'primary', { system_identifier: identifier }, 'postgres_primary'),
      );
    expect(two('7')[0]).toBe('✗ PostgreSQL primary a: 2 servers are primary: a, b');
    expect(two('8')).toEqual(['✓ PostgreSQL primary a', '✓ PostgreSQL primary b']);
  });

  test('a replica alone is judged alone', () => {
    expect(judged(pg('b', 'replica', {}, 'postgres_replica'))).toEqual(['✓ PostgreSQL replica b']);
  });
});

describe('Redis servers', () => {
  test('a replica of another master, and one that is too far behind the master as it is now', () => {
    expect(
      judged(
        redis('1', 'master'),
        redis('2', 'replica', { replication_id: 'bb', follows: 'x:1' }),
        redis('3', 'replica', { offset: 100 }),
      ),
    ).toEqual([
      '✓ Redis master 1',
      '✗ Redis replica 2: it follows x:1, not the master 1',
      '✗ Redis replica 3: lags 4.8 kB, at most 1000 B allowed',
    ]);
  });

  test('none and two', () => {
    expect(judged(redis('1', 'replica'), redis('2', 'replica')).at(-1)).toBe(
      '✗ Redis master 1, 2: none of them is seen to be master',
    );
    expect(judged(redis('1', 'master'), redis('2', 'master'))).toEqual([
      '✗ Redis master 1: 2 servers are master: 1, 2',
      '✗ Redis master 2: 2 servers are master: 1, 2',
    ]);
  });

  test('a replica learns its lag from the master', () => {
    const outcomes = judgeStack([redis('1', 'master'), redis('2', 'replica', { offset: 4900 })], {
      maxLagBytes: 1000,
      masterName: 'm',
    });
    expect(outcomes[1]?.facts).toMatchObject({ lag_bytes: 100 });
  });
});

describe('Sentinels', () => {
  test('agree with each other and with the master, by address, by name, by run id', () => {
    for (const [said, more] of [
      ['10.0.0.1:1', {}],
      ['1', {}],
      ['1:6379', {}],
      ['172.17.0.2:6379', { master_run_id: 'run-1' }],
    ] as const) {
      expect(judged(redis('1', 'master'), sentinel('s1', said, more), sentinel('s2', said, more)).at(-1)).toBe(
        '✓ Redis Sentinel mymaster',
      );
    }
  });

  test('disagree', () => {
    expect(judged(sentinel('s1', 'a:1'), sentinel('s2', 'b:1')).at(-1)).toBe(
      '✗ Redis Sentinel mymaster: they disagree on the master: s1 says a:1, s2 says b:1',
    );
  });

  test('agree on one that is not the master', () => {
    expect(judged(redis('1', 'master'), sentinel('s1', 'b:1')).at(-1)).toBe(
      '✗ Redis Sentinel mymaster: they say that the master is b:1, but it is 1',
    );
  });

  test('one is down; all have the same to tell', () => {
    expect(judged(sentinel('s1', 'a:1'), down('sentinel', 's2')).at(-1)).toBe(
      '✗ Redis Sentinel mymaster: s2: connection refused',
    );
    expect(judged(down('sentinel', 's1'), down('sentinel', 's2')).at(-1)).toBe(
      '✗ Redis Sentinel mymaster: s1, s2: connection refused',
    );
  });
});
