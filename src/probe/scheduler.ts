import { failed, type Probe, type ProbeResult, type ProbeTarget } from './probe.ts';

/** One check of one target, again and again. */
export interface ScheduledCheck {
  /** What tells it from others: one of the same key goes on when the checks are replaced. */
  readonly key: string;
  /** From start to start. */
  readonly intervalMs: number;
  /** Up to so much is added to each interval, at random. */
  readonly jitterMs: number;
  readonly target: ProbeTarget;
  readonly probe: Probe;
}

export interface SchedulerInit {
  readonly onResult: (check: ScheduledCheck, result: ProbeResult, tookMs: number) => void;
  readonly now: () => number;
  /** 0 to less than 1. */
  readonly random: () => number;
  /** Most checks under way at once; the others wait their turn. Default 256. */
  readonly maxAtOnce?: number;
}

/** New checks have their first look within this time, spread evenly; the second comes at a time of its own within the interval. */
const FIRST_LOOKS_MS = 1000;
/** A probe that does not answer when its time is over is believed to hang. */
const GRACE_MS = 100;
/** A deadline that is told so late says that this process, or the whole machine, stood still: nothing about the target. */
const LATE_MS = 500;
const MAX_AT_ONCE = 256;

/**
 * Runs checks, each at its interval, and no two of them in step. A check ends before it is due again; what it has not seen by then counts
 * as not there.
 */
export class ProbeScheduler {
  readonly #init: SchedulerInit;
  #checks = new Map<string, RunningCheck>();
  readonly #waiting: RunningCheck[] = [];
  #underWay = 0;

  constructor(init: SchedulerInit) {
    this.#init = init;
  }

  /** How many looks are under way. */
  get underWay(): number {
    return this.#underWay;
  }

  /** These and no others, from now on. One that was there before, by its key, keeps its time. */
  replace(checks: readonly ScheduledCheck[]): void {
    const before = this.#checks;
    this.#checks = new Map();
    const fresh: RunningCheck[] = [];
    for (const check of checks) {
      const known = before.get(check.key);
      if (known !== undefined) known.check = check;
      else fresh.push(new RunningCheck(check));
      this.#checks.set(check.key, known ?? (fresh.at(-1) as RunningCheck));
    }
    for (const [key, running] of before) if (this.#checks.get(key) !== running) running.stop();
    for (const [i, running] of fresh.entries()) {
      const span = Math.min(running.check.intervalMs, FIRST_LOOKS_MS);
      this.#later(running, ((i + this.#init.random()) / fresh.length) * span);
    }
  }

  stop(): void {
    this.replace([]);
  }

  #later(running: RunningCheck, ms: number): void {
    running.timer = setTimeout(() => this.#due(running), ms);
  }

  #due(running: RunningCheck): void {
    if (this.#underWay >= (this.#init.maxAtOnce ?? MAX_AT_ONCE)) {
      this.#waiting.push(running);
      return;
    }
    const { intervalMs, jitterMs } = running.check;
    const gapMs = running.hasLooked
      ? intervalMs + jitterMs * this.#init.random()
      : (intervalMs * (1 + this.#init.random())) / 2;
    running.hasLooked = true;
    this.#underWay++;
    void this.#look(running, gapMs).finally(() => {
      this.#underWay--;
      let next = this.#waiting.shift();
      while (next?.isStopped === true) next = this.#waiting.shift();
      if (next !== undefined) this.#due(next);
    });
  }

  async #look(running: RunningCheck, gapMs: number): Promise<void> {
    const { now, onResult } = this.#init;
    const { check } = running;
    const startedAtMs = now();
    const limitMs = Math.min(gapMs, check.intervalMs);
    const look = new AbortController();
    running.look = look;
    let isLate = false;
    let hung: NodeJS.Timeout | undefined;
    let deadline: NodeJS.Timeout | undefined;
    const hang = new Promise<ProbeResult>((resolve) => {
      deadline = setTimeout(() => {
        isLate = now() - startedAtMs > limitMs + LATE_MS;
        hung = setTimeout(() => resolve(failed('checking', 'timed out')), GRACE_MS);
        look.abort();
      }, limitMs);
    });
    const answer = check.probe
      .run(check.target, look.signal)
      .catch((error: unknown) => failed('checking', `the check itself failed: ${String(error)}`));
    const result = await Promise.race([answer, hang]);
    clearTimeout(deadline);
    clearTimeout(hung);
    running.look = null;
    if (running.isStopped) return;
    const endedAtMs = now();
    // Once only: where everything is always late, failures must show all the same.
    if (isLate && !result.isPassed && !running.wasLate) running.wasLate = true;
    else {
      running.wasLate = false;
      onResult(running.check, result, endedAtMs - startedAtMs);
    }
    this.#later(running, Math.max(startedAtMs + gapMs - endedAtMs, 0));
  }
}

class RunningCheck {
  check: ScheduledCheck;
  timer: NodeJS.Timeout | undefined;
  look: AbortController | null = null;
  hasLooked = false;
  wasLate = false;
  isStopped = false;

  constructor(check: ScheduledCheck) {
    this.check = check;
  }

  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
    this.look?.abort();
  }
}
