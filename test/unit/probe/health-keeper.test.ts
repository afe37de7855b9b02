import { describe, expect, test } from 'vitest';
import { HealthKeeper } from '../../../src/probe/health-keeper.ts';
import { type HealthCheck, HealthPlan } from '../../../src/probe/health-plan.ts';
import { groupOf } from '../upstream/read-upstreams.ts';

const A = 'u 127.0.0.1:1 0';
const B = 'u 127.0.0.1:2 0';
const TWO = 'zone z 64k; server 127.0.0.1:1; server 127.0.0.1:2;';

function planOf(upstream: string, ...checks: readonly Partial<HealthCheck>[]): HealthPlan {
  const plan = new HealthPlan();
  const group = groupOf(upstream);
  for (const check of checks.length === 0 ? [{}] : checks) {
    plan.add({
      key: 'k',
      name: '',
      group,
      port: null,
      intervalMs: 5000,
      jitterMs: 0,
      rule: { fails: 1, passes: 1 },
      isMandatory: false,
      makeProbe: () => Promise.reject(new Error('nobody checks here')),
      ...check,
    });
  }
  return plan;
}

function start(plan: HealthPlan) {
  const log: string[] = [];
  const changes: string[] = [];
  let nowMs = 0;
  const keeper = new HealthKeeper({
    onChange: (peer, check) => changes.push(`${peer} ${check === null ? 'gone' : `${check.state}@${check.sinceMs}`}`),
    log: (level, text) => log.push(`[${level}] ${text}`),
    now: () => nowMs,
    wall: () => 1_000_000 + nowMs,
  });
  keeper.open(plan);
  const tell = (peer: string, isPassed: boolean, check = 0, reason = isPassed ? '' : 'status is 503'): void => {
    const key = plan.checks[check]?.key ?? '';
    keeper.observe({ check: key, peer, isPassed, doing: 'checking status code', reason, tookMs: 3 });
  };
  return { keeper, log, changes, tell, at: (ms: number) => void (nowMs = ms) };
}

describe('the states of checked peers', () => {
  test('a flip is told and logged once, with the reason, in nginx Plus’s words', () => {
    const { tell, log, changes, at } = start(planOf(TWO, { name: 'ok', rule: { fails: 2, passes: 2 } }));
    expect(changes.splice(0)).toEqual([`${A} up@0`, `${B} up@0`]);
    at(100);
    for (let i = 0; i < 5; i++) tell(A, false);
    tell(B, true);
    at(200);
    for (let i = 0; i < 5; i++) tell(A, true);
    expect(changes).toEqual([`${A} unhealthy@100`, `${A} up@200`]);
    expect(log).toEqual([
      '[warn] peer is unhealthy while checking status code, health check "ok" of peer 127.0.0.1:1 in upstream "u": status is 503',
      '[notice] peer is healthy while checking status code, health check "ok" of peer 127.0.0.1:1 in upstream "u"',
    ]);
  });

  test('another port is named', () => {
    const { tell, log } = start(planOf(TWO, { port: 81 }));
    tell(A, false);
    expect(log[0]).toBe(
      '[warn] peer is unhealthy while checking status code, health check "" of peer 127.0.0.1:1 in upstream "u", port 81: status is 503',
    );
  });

  test('of several checks one that fails is enough, and all must pass for it to come back', () => {
    const { tell, changes } = start(planOf(TWO, {}, { key: 'other' }));
    changes.length = 0;
    tell(A, false, 0);
    tell(A, false, 1);
    tell(A, true, 0);
    expect(changes).toEqual([`${A} unhealthy@0`]);
    tell(A, true, 1);
    expect(changes).toEqual([`${A} unhealthy@0`, `${A} up@0`]);
  });

  test('mandatory: checking until the first pass', () => {
    const { tell, changes, keeper } = start(planOf(TWO, { isMandatory: true, rule: { fails: 2, passes: 3 } }));
    expect(changes.splice(0)).toEqual([`${A} checking@0`, `${B} checking@0`]);
    tell(A, true);
    tell(B, false);
    expect(changes).toEqual([`${A} up@0`]);
    tell(B, false);
    expect(keeper.report().map(({ state, checks, fails, unhealthy }) => ({ state, checks, fails, unhealthy }))).toEqual(
      [
        { state: 'up', checks: 1, fails: 0, unhealthy: 0 },
        { state: 'unhealthy', checks: 2, fails: 2, unhealthy: 1 },
      ],
    );
  });

  test('a reload keeps the states of peers that stay, drops those that go, and begins new ones', () => {
    const { tell, changes, keeper } = start(planOf(TWO, { isMandatory: true }));
    tell(A, true);
    tell(B, false);
    changes.length = 0;
    const next = planOf('zone z 64k; server 127.0.0.1:2; server 127.0.0.1:3;', { isMandatory: true, key: 'changed' });
    expect(keeper.expected(next)).toEqual({
      [B]: { state: 'unhealthy', sinceMs: 0 },
      'u 127.0.0.1:3 0': { state: 'checking', sinceMs: 0 },
    });
    expect(changes).toEqual([]);
    keeper.open(next);
    expect(changes).toEqual([`${A} gone`, 'u 127.0.0.1:3 0 checking@0']);
    keeper.open(planOf(TWO, { isMandatory: true }));
    // It was away: nobody knows how it is now.
    expect(changes.slice(2)).toEqual(['u 127.0.0.1:3 0 gone', `${A} checking@0`]);
  });

  test('what comes of a check that is no more is nobody’s', () => {
    const { keeper, changes } = start(planOf(TWO));
    changes.length = 0;
    const late = { isPassed: false, doing: '', reason: '', tookMs: 1 };
    keeper.observe({ ...late, check: 'k\x000', peer: 'u 9.9.9.9:1 0' });
    keeper.observe({ ...late, check: 'old', peer: A });
    expect(changes).toEqual([]);
  });

  test('peers that are down, or have no address, are not checked', () => {
    const { changes } = start(
      planOf('zone z 64k; server 127.0.0.1:1 down; server 127.0.0.1:2; server nosuch.invalid;'),
    );
    expect(changes).toEqual([`${B} up@0`]);
  });
});
