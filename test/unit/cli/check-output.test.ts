import { describe, expect, test } from 'vitest';
import { areAllHealthy, checkDocument } from '../../../src/cli/check-document.ts';
import { checkTable } from '../../../src/cli/check-table.ts';
import { ProbeMetrics } from '../../../src/cli/probe-metrics.ts';
import type { CheckOutcome } from '../../../src/probe/stack/stack-check.ts';

function outcome(change: Partial<CheckOutcome>): CheckOutcome {
  return {
    kind: 'balancer',
    label: 'https://lb/',
    isHealthy: true,
    doing: 'checking status code',
    reason: '',
    facts: { status: 200, tls: 'TLSv1.3', certificate_days: 89, certificate_expires_at: '2030-01-01T00:00:00.000Z' },
    durationMs: 12.34,
    ...change,
  };
}

const PRIMARY = outcome({
  kind: 'postgres',
  label: 'pg-1',
  facts: {
    role: 'primary',
    replicas: 1,
    lag_bytes: 0,
    lag_seconds: 0,
    slots: 1,
    slots_inactive: 0,
    slot_wal_bytes: 2048,
    is_archiving: true,
    is_archiving_failing: false,
    is_read_only: false,
  },
});
const DOWN = outcome({
  kind: 'redis_master',
  label: 'r-1:6379',
  isHealthy: false,
  reason: 'connection refused',
  facts: {},
});

describe('the table', () => {
  test('a line per check: what is well or not, where, why', () => {
    expect(checkTable([outcome({}), PRIMARY, DOWN], false).split('\n')).toEqual([
      '✓ Nginx load balancer is healthy  https://lb/  status 200, TLSv1.3, certificate for 89 days, 12 ms',
      '✓ PostgreSQL primary is healthy   pg-1         1 replica, lag 0 B, 1 slot with 2 kB of WAL, WAL archiving works, 12 ms',
      '✗ Redis master is not healthy     r-1:6379     connection refused',
      '1 of 3 checks failed',
      '',
    ]);
  });

  test('colours where they are asked for; what a server says does not steer the terminal', () => {
    const rude = checkTable([outcome({ isHealthy: false, reason: 'bye \x1b[2Jnow\n' })], true);
    expect(rude).toContain('\x1b[31m✗\x1b[0m');
    expect(rude).not.toContain('\x1b[2J');
    expect(checkTable([outcome({})], false)).not.toContain('\x1b');
  });
});

describe('the document', () => {
  test('says all, and that all is well only when something was looked at', () => {
    expect(checkDocument([PRIMARY, DOWN], Date.parse('2026-01-02T03:04:05Z'), 20.06)).toMatchObject({
      schema: 1,
      healthy: false,
      at: '2026-01-02T03:04:05.000Z',
      duration_ms: 20.1,
      checks: [
        {
          kind: 'postgres',
          name: 'PostgreSQL primary',
          target: 'pg-1',
          healthy: true,
          reason: '',
          facts: { role: 'primary' },
        },
        {
          kind: 'redis_master',
          name: 'Redis master',
          target: 'r-1:6379',
          healthy: false,
          reason: 'connection refused',
        },
      ],
    });
    expect([areAllHealthy([]), areAllHealthy([PRIMARY]), areAllHealthy([PRIMARY, DOWN])]).toEqual([false, true, false]);
  });
});

describe('the metrics', () => {
  test('say the same; what is gone from a round is gone from them; success is remembered', async () => {
    const metrics = new ProbeMetrics();
    expect(metrics.ageMs).toBe(null);
    metrics.take({ outcomes: [outcome({}), PRIMARY], startedWallMs: 1_000_000, durationMs: 1 });
    const first = await metrics.text();
    expect(first).toContain('evenkeel_probe_up{kind="postgres",target="pg-1"} 1\n');
    expect(first).toContain('evenkeel_probe_all_up 1\n');
    expect(first).toContain('evenkeel_probe_duration_seconds{kind="postgres",target="pg-1"} 0.01234\n');
    expect(first).toContain('evenkeel_probe_leader{kind="postgres",target="pg-1"} 1\n');
    expect(first).toContain('evenkeel_probe_slot_wal_bytes{kind="postgres",target="pg-1"} 2048\n');
    expect(first).toContain('evenkeel_probe_archiving_failing{kind="postgres",target="pg-1"} 0\n');
    expect(first).toContain(
      'evenkeel_probe_certificate_expiry_timestamp_seconds{kind="balancer",target="https://lb/"} 1893456000\n',
    );
    metrics.take({ outcomes: [{ ...PRIMARY, isHealthy: false, facts: {} }], startedWallMs: 2_000_000, durationMs: 1 });
    const second = await metrics.text();
    expect(second).toContain('evenkeel_probe_up{kind="postgres",target="pg-1"} 0\n');
    expect(second).toContain('evenkeel_probe_all_up 0\n');
    expect(second).toContain('evenkeel_probe_last_success_timestamp_seconds{kind="postgres",target="pg-1"} 1000\n');
    expect(second).toContain('evenkeel_probe_last_round_timestamp_seconds 2000\n');
    expect(second).toContain('evenkeel_probe_looks_total{kind="postgres",target="pg-1",result="failed"} 1\n');
    expect(second).not.toMatch(/evenkeel_probe_(?:up\{kind="balancer"|slot_wal_bytes\{)/);
    expect(metrics.ageMs).toBeLessThan(60_000);
  });

  test('each has a help, and a name by the conventions: no two units, seconds and bytes, counters end in _total', async () => {
    const metrics = new ProbeMetrics();
    metrics.take({ outcomes: [outcome({}), PRIMARY, DOWN], startedWallMs: 1, durationMs: 1 });
    const text = await metrics.text();
    for (const [, name = '', type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
      expect(text).toMatch(new RegExp(`^# HELP ${name} \\S`, 'm'));
      expect(name).toMatch(/^evenkeel_probe_[a-z_]+$/);
      expect(name.endsWith('_total')).toBe(type === 'counter');
      expect(name).not.toMatch(/_(ms|days|millis)/);
    }
  });
});
