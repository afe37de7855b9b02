import { Counter, Gauge, Registry } from 'prom-client';
import { nowMs } from '../core/clock.ts';
import type { CheckOutcome } from '../probe/stack/stack-check.ts';
import { areAllHealthy } from './check-document.ts';
import type { Look } from './look.ts';

const LABELS = ['kind', 'target'] as const;
type Label = (typeof LABELS)[number];

/** Targets that are remembered; beyond them all but those of the next round are forgotten, and their counters begin anew. */
const MAX_TARGETS = 5000;

/** A fact that is a metric of its own, where it is there. */
interface FactRow {
  readonly fact: string;
  readonly metric: string;
  readonly help: string;
}

const FACT_ROWS: readonly FactRow[] = [
  {
    fact: 'lag_bytes',
    metric: 'evenkeel_probe_lag_bytes',
    help: 'How far a replica is behind; on a primary, the one furthest behind.',
  },
  {
    fact: 'lag_seconds',
    metric: 'evenkeel_probe_lag_seconds',
    help: 'The same in time; for Redis, since the other side was heard of.',
  },
  { fact: 'replicas', metric: 'evenkeel_probe_replicas', help: 'Replicas that a primary or master is streaming to.' },
  { fact: 'slots', metric: 'evenkeel_probe_slots', help: 'Replication slots of a PostgreSQL primary.' },
  {
    fact: 'slots_inactive',
    metric: 'evenkeel_probe_slots_inactive',
    help: 'Replication slots that nobody reads from.',
  },
  { fact: 'slot_wal_bytes', metric: 'evenkeel_probe_slot_wal_bytes', help: 'WAL that the slot furthest behind keeps.' },
  {
    fact: 'is_archiving_failing',
    metric: 'evenkeel_probe_archiving_failing',
    help: '1: the last attempt to archive WAL failed.',
  },
  { fact: 'is_read_only', metric: 'evenkeel_probe_read_only', help: '1: a primary or master that takes no writes.' },
  { fact: 'status', metric: 'evenkeel_probe_http_status_code', help: 'Status of the last answer.' },
  {
    fact: 'sentinels',
    metric: 'evenkeel_probe_sentinels',
    help: 'Sentinels that this one knows of, itself among them.',
  },
];

type OneGauge = Gauge<Label>;

/** What was seen, as Prometheus metrics. A round replaces the gauges of the one before: a target that is gone leaves none. */
export class ProbeMetrics {
  readonly #registry = new Registry();
  readonly #up = this.#gauge('evenkeel_probe_up', '1: the last look found it well.');
  readonly #duration = this.#gauge('evenkeel_probe_duration_seconds', 'How long the last look took.');
  readonly #leader = this.#gauge('evenkeel_probe_leader', '1: it is the primary or master; 0: a replica.');
  readonly #expiry = this.#gauge(
    'evenkeel_probe_certificate_expiry_timestamp_seconds',
    'When its certificate expires.',
  );
  readonly #success = this.#gauge('evenkeel_probe_last_success_timestamp_seconds', 'When it was last found well.');
  readonly #facts = FACT_ROWS.map(({ fact, metric, help }) => ({ fact, gauge: this.#gauge(metric, help) }));
  readonly #allUp = new Gauge({
    name: 'evenkeel_probe_all_up',
    help: '1: the last round found everything well that was asked for.',
    registers: [this.#registry],
  });
  readonly #lastRound = new Gauge({
    name: 'evenkeel_probe_last_round_timestamp_seconds',
    help: 'When the last whole round began.',
    registers: [this.#registry],
  });
  readonly #looks = new Counter({
    name: 'evenkeel_probe_looks_total',
    help: 'Looks, by what came of them.',
    labelNames: [...LABELS, 'result'] as const,
    registers: [this.#registry],
  });
  /** By kind and target. */
  readonly #lastSuccessMs = new Map<string, number>();
  #lastRoundAtMs: number | null = null;

  /** Takes a whole round in. */
  take({ outcomes, startedWallMs }: Look): void {
    for (const gauge of [this.#up, this.#duration, this.#leader, this.#expiry, this.#success]) gauge.reset();
    for (const { gauge } of this.#facts) gauge.reset();
    // Containers come and go under ever new addresses: what is long gone must not stay for ever.
    if (this.#lastSuccessMs.size > MAX_TARGETS) {
      this.#lastSuccessMs.clear();
      this.#looks.reset();
    }
    for (const outcome of outcomes) this.#takeOne(outcome, startedWallMs);
    this.#allUp.set(areAllHealthy(outcomes) ? 1 : 0);
    this.#lastRound.set(startedWallMs / 1000);
    this.#lastRoundAtMs = nowMs();
  }

  /** Since the last whole round; null: there was none yet. */
  get ageMs(): number | null {
    return this.#lastRoundAtMs === null ? null : nowMs() - this.#lastRoundAtMs;
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #takeOne({ kind, label: target, isHealthy, facts, durationMs }: CheckOutcome, startedWallMs: number): void {
    const labels = { kind, target };
    const key = `${kind} ${target}`;
    if (isHealthy) this.#lastSuccessMs.set(key, startedWallMs);
    const successMs = this.#lastSuccessMs.get(key);
    this.#up.set(labels, isHealthy ? 1 : 0);
    this.#duration.set(labels, durationMs / 1000);
    this.#looks.inc({ ...labels, result: isHealthy ? 'passed' : 'failed' });
    if (successMs !== undefined) this.#success.set(labels, successMs / 1000);
    if (typeof facts['role'] === 'string') this.#leader.set(labels, facts['role'] === 'replica' ? 0 : 1);
    const expiresAtMs = Date.parse(String(facts['certificate_expires_at'] ?? ''));
    if (!Number.isNaN(expiresAtMs)) this.#expiry.set(labels, expiresAtMs / 1000);
    for (const { fact, gauge } of this.#facts) {
      const value = facts[fact];
      if (typeof value === 'number' || typeof value === 'boolean') gauge.set(labels, Number(value));
    }
  }

  #gauge(name: string, help: string): OneGauge {
    return new Gauge({ name, help, labelNames: LABELS, registers: [this.#registry] });
  }
}
