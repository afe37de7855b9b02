import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CheckState } from '../../../src/policy/health/check-machine.ts';
import { HealthKeeper } from '../../../src/probe/health-keeper.ts';
import { HealthPlan } from '../../../src/probe/health-plan.ts';
import type { ZoneCheck } from '../../../src/upstream/zone-message.ts';
import { groupOf } from '../upstream/read-upstreams.ts';
import { type Lease, ZoneSimulation } from '../upstream/zone-simulation.ts';

const METHODS = ['', 'least_conn;', 'random;', 'random two;', 'ip_hash;', 'hash $k;'];
const RULE = { fails: 2, passes: 3 };

/** Primary with its keeper, and workers; a message travels when `settle` says so. */
class HealthSimulation {
  readonly zones: ZoneSimulation;
  readonly keeper: HealthKeeper;
  readonly log: string[] = [];
  readonly told = new Map<string, ZoneCheck | null>();
  readonly #plan = new HealthPlan();
  nowMs = 1000;

  constructor(upstream: string, workers: number, isMandatory = false) {
    this.zones = new ZoneSimulation(`upstream u { ${upstream} }`, workers);
    this.#plan.add({
      key: 'k',
      name: '',
      group: groupOf(upstream),
      port: null,
      intervalMs: 5000,
      jitterMs: 0,
      rule: RULE,
      isMandatory,
      makeProbe: () => Promise.reject(new Error('nobody checks here')),
    });
    this.keeper = new HealthKeeper({
      onChange: (peer, check) => {
        this.told.set(peer, check);
        this.zones.arbiter.check(peer, check);
      },
      log: (_level, text) => this.log.push(text),
      now: () => this.nowMs,
      wall: () => this.nowMs,
    });
    this.keeper.open(this.#plan);
    this.zones.settle();
  }

  look(port: number, isPassed: boolean): void {
    const check = this.#plan.checks[0]?.key ?? '';
    const peer = `u 127.0.0.1:${port} 0`;
    this.keeper.observe({
      check,
      peer,
      isPassed,
      doing: 'checking status code',
      reason: isPassed ? '' : 'no',
      tookMs: 1,
    });
  }

  expected(): Record<string, ZoneCheck> {
    return this.keeper.expected(this.#plan);
  }

  states(worker: number): CheckState[] {
    const group = this.zones.workers[worker]?.group;
    return [...(group?.peers ?? []), ...(group?.backups ?? [])].map((peer) => peer.check);
  }

  /** Where a request of this worker goes; the last digit of the port. */
  request(worker: number, outcome: 'ok' | 'failed' = 'ok'): string | null {
    return this.zones.workers[worker]?.request(outcome, this.nowMs) ?? null;
  }
}

const THREE = 'zone z 64k; server 127.0.0.1:1; server 127.0.0.1:2; server 127.0.0.1:3;';

/** Looks at peer 1 every five seconds: `+` it is well, `-` it is not; and what it is to all workers then. */
const COURSES: readonly (readonly [what: string, isMandatory: boolean, course: string, flips: number])[] = [
  ['goes and comes back', false, '+U -U -X -X -X +X +X +U +U', 2],
  ['flaps below both thresholds', false, '-U +U -U +U -U +U -U +U', 0],
  ['flaps around them: one flip for each cause', false, '-U -X +X +X -X +X +X -X +X +X +U -U +U', 2],
  ['is new and well', true, '+U +U -U +U', 1],
  ['is new and ill', true, '-C -X +X +X +U', 2],
];

describe('over hours', () => {
  test.each(COURSES)('a peer that %s (mandatory: %s)', (_what, isMandatory, course, flips) => {
    const all = new HealthSimulation(THREE, 4, isMandatory);
    const letters = { up: 'U', checking: 'C', unhealthy: 'X' };
    // Two hours of it; what is new is new once.
    const rounds = isMandatory ? 1 : 150;
    for (let round = 0; round < rounds; round++) {
      for (const step of course.split(' ')) {
        all.look(1, step[0] === '+');
        for (const other of [2, 3]) all.look(other, true);
        all.zones.settle();
        for (const worker of all.zones.workers.keys()) {
          const [state = 'up'] = all.states(worker);
          expect(`${step[0]}${letters[state]}`).toBe(step);
          const met = Array.from({ length: 6 }, () => all.request(worker));
          expect(met.includes('1')).toBe(state === 'up');
        }
        all.nowMs += 5000;
        all.zones.settle();
      }
    }
    expect(all.log.filter((line) => line.includes(' 127.0.0.1:1 ')).length).toBe(flips * rounds);
  });

  test('all go, requests find nobody; all come back', () => {
    const all = new HealthSimulation(THREE, 2);
    for (const round of [1, 2, 3]) {
      for (const port of [1, 2, 3]) for (let i = 0; i < 3; i++) all.look(port, false);
      all.zones.settle();
      expect([all.request(0), all.request(1)]).toEqual([null, null]);
      for (const port of [1, 2, 3]) for (let i = 0; i < 3; i++) all.look(port, true);
      all.zones.settle();
      expect(new Set([0, 1, 2].map(() => all.request(1))).size).toBe(3);
      expect(all.log.length).toBe(round * 6);
    }
  });

  test('the only peer of a group leaves too', () => {
    const all = new HealthSimulation('zone z 64k; server 127.0.0.1:1;', 1);
    for (let i = 0; i < 2; i++) all.look(1, false);
    all.zones.settle();
    expect(all.request(0)).toBeNull();
  });

  test('backups serve while all primaries are out', () => {
    const all = new HealthSimulation('zone z 64k; server 127.0.0.1:1; server 127.0.0.1:2 backup;', 1);
    for (let i = 0; i < 2; i++) all.look(1, false);
    all.zones.settle();
    expect(all.request(0)).toBe('2');
  });

  test('a worker that starts later knows before its first request', () => {
    const all = new HealthSimulation(THREE, 1);
    for (let i = 0; i < 2; i++) all.look(1, false);
    const worker = all.zones.addWorker(7);
    worker.port.expect(all.expected());
    worker.load(`upstream u { ${THREE} }`);
    expect(all.states(1)).toEqual(['unhealthy', 'up', 'up']);
  });

  test('failures of before are forgotten when a peer comes back by its checks', () => {
    const all = new HealthSimulation('zone z 64k; server 127.0.0.1:1 fail_timeout=1h; server 127.0.0.1:2;', 2);
    while (all.request(0, 'failed') !== '1') all.zones.settle();
    all.zones.settle();
    expect([all.request(1), all.request(1)]).toEqual(['2', '2']);
    for (let i = 0; i < 2; i++) all.look(1, false);
    for (let i = 0; i < 3; i++) all.look(1, true);
    all.zones.settle();
    for (const worker of [0, 1]) expect([1, 2, 3, 4].map(() => all.request(worker))).toContain('1');
  });

  test('a peer that is out by its failures stays so while its checks pass', () => {
    const all = new HealthSimulation('zone z 64k; server 127.0.0.1:1 fail_timeout=1h; server 127.0.0.1:2;', 1);
    while (all.request(0, 'failed') !== '1') all.nowMs++;
    for (let i = 0; i < 5; i++) all.look(1, true);
    all.zones.settle();
    expect([all.request(0), all.request(0)]).toEqual(['2', '2']);
  });
});

type Step =
  | { readonly do: 'look'; readonly port: number; readonly isPassed: boolean }
  | { readonly do: 'pick'; readonly worker: number }
  | { readonly do: 'release'; readonly which: number; readonly outcome: 'ok' | 'failed' | 'neutral' }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'replace'; readonly worker: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('look' as const),
      port: fc.integer({ min: 1, max: 3 }),
      isPassed: fc.boolean(),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('pick' as const), worker: fc.nat(1) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('release' as const),
      which: fc.nat(50),
      outcome: fc.constantFrom('ok' as const, 'failed' as const, 'neutral' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(12_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('replace' as const), worker: fc.nat(1) }) },
);

/** By the history alone: it is ill from the second failure in a row to the third pass in a row. */
function isIll(history: readonly boolean[]): boolean {
  for (let end = history.length; end > 0; end--) {
    if (end >= 3 && history.slice(end - 3, end).every((one) => one)) return false;
    if (end >= 2 && history.slice(end - 2, end).every((one) => !one)) return true;
  }
  return false;
}

describe.each(METHODS)('with "%s", whatever happens', (method) => {
  test('no request goes to a peer that is out while another is up; one flip has one cause; nothing is left under way', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const all = new HealthSimulation(`${method} ${THREE}`, 2);
        const histories = new Map<number, boolean[]>([1, 2, 3].map((port) => [port, []]));
        const open: { readonly workerId: number; readonly lease: Lease }[] = [];
        let nextId = 10;
        let flips = 0;
        const release = (at: number, outcome: 'ok' | 'failed' | 'neutral'): void => {
          const one = open.splice(at, 1)[0];
          const worker = all.zones.workers.find(({ id }) => id === one?.workerId);
          if (one !== undefined) worker?.release(one.lease, outcome, all.nowMs);
        };
        for (const one of steps) {
          all.nowMs += 1;
          all.zones.settle();
          if (one.do === 'wait') all.nowMs += one.ms;
          else if (one.do === 'release') release(open.length === 0 ? 0 : one.which % open.length, one.outcome);
          else if (one.do === 'look') {
            const history = histories.get(one.port) ?? [];
            const before = isIll(history);
            history.push(one.isPassed);
            if (isIll(history) !== before) flips++;
            all.look(one.port, one.isPassed);
          } else {
            const worker = all.zones.workers[one.worker];
            if (worker === undefined) continue;
            if (one.do === 'replace') {
              all.zones.kill(worker.id);
              all.zones.addWorker(nextId++);
              continue;
            }
            const up = worker.group.peers
              .filter((peer) => peer.isUp(all.nowMs))
              .map((peer) => peer.addressText.slice(-1));
            const lease = worker.pick(all.nowMs);
            const picked = lease?.peer.addressText.slice(-1) ?? null;
            if (up.length > 0) expect(up).toContain(picked);
            if (picked !== null) expect(isIll(histories.get(Number(picked)) ?? [])).toBe(false);
            if (lease !== null) open.push({ workerId: worker.id, lease });
          }
        }
        while (open.length > 0) release(0, 'neutral');
        all.zones.settle();
        expect(all.log.length).toBe(flips);
        for (const worker of all.zones.workers) {
          expect(worker.group.peers.map((peer) => [peer.active, peer.localActive])).toEqual([
            [0, 0],
            [0, 0],
            [0, 0],
          ]);
        }
      }),
      { numRuns: 60 },
    );
  });
});
