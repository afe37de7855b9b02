import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Lease, type SimulatedWorker, ZoneSimulation } from './zone-simulation.ts';

const one = (maxConns: number, more = '') =>
  `upstream u { zone z 64k; server 127.0.0.1:1 max_conns=${maxConns}; ${more} }`;

/** Requests and what became of them. */
class Requests {
  readonly open: { readonly worker: SimulatedWorker; readonly lease: Lease }[] = [];
  refused = 0;
  waiting = 0;

  begin(worker: SimulatedWorker, nowMs = 1000): { cancel(): void } | null {
    this.waiting++;
    return worker.pickOrWait(nowMs, (lease) => {
      this.waiting--;
      if (lease === null) this.refused++;
      else this.open.push({ worker, lease });
    });
  }

  end(at = 0, nowMs = 1000): void {
    const [ended] = this.open.splice(at, 1);
    ended?.worker.release(ended.lease, 'ok', nowMs);
  }

  on(port: number): number {
    return this.open.filter(({ lease }) => lease.peer.addressText.endsWith(`:${port}`)).length;
  }
}

/** Lets microtasks run, which serve those that wait for a slot of their own worker. */
const turn = (): Promise<void> => Promise.resolve();

function pair(text: string): { simulation: ZoneSimulation; first: SimulatedWorker; second: SimulatedWorker } {
  const simulation = new ZoneSimulation(text, 2);
  const [first, second] = simulation.workers as [SimulatedWorker, SimulatedWorker];
  return { simulation, first, second };
}

describe('max_conns in a zone', () => {
  test('is exact when all workers begin at once', () => {
    const simulation = new ZoneSimulation(one(5), 4);
    const requests = new Requests();
    for (const worker of simulation.workers) for (let i = 0; i < 4; i++) requests.begin(worker);
    simulation.settle();
    expect(requests.open).toHaveLength(5);
    expect(requests.refused).toBe(11);
    expect(requests.waiting).toBe(0);
  });

  test('all slots are there for a worker that is alone in wanting them', () => {
    const { simulation, first, second } = pair(one(6));
    const requests = new Requests();
    for (const worker of [first, second]) {
      for (let i = 0; i < 7; i++) requests.begin(worker);
      simulation.settle();
      expect([requests.open.length, requests.refused]).toEqual([6, worker === first ? 1 : 2]);
      while (requests.open.length > 0) requests.end();
    }
  });

  test('says nothing to the primary once a worker holds the slots that it needs', () => {
    const { simulation, first } = pair(one(6));
    const requests = new Requests();
    for (let i = 0; i < 3; i++) requests.begin(first);
    simulation.settle();
    while (requests.open.length > 0) requests.end();
    simulation.settle();
    const lease = first.pick(1000);
    expect(lease).not.toBeNull();
    expect(requests.waiting).toBe(0);
  });

  test('a slot that comes free in the same worker is given to who waits there', async () => {
    const { simulation, first } = pair(one(1));
    const requests = new Requests();
    requests.begin(first);
    simulation.settle();
    requests.begin(first);
    requests.end();
    await turn();
    expect([requests.open.length, requests.waiting]).toEqual([1, 0]);
    simulation.settle();
    expect([requests.open.length, requests.refused]).toEqual([1, 0]);
  });

  test('another peer is taken before anybody waits, backups only afterwards', () => {
    const { simulation, first, second } = pair(one(1, 'server 127.0.0.1:2 max_conns=1; server 127.0.0.1:3 backup;'));
    const requests = new Requests();
    for (const worker of [first, second, first]) {
      requests.begin(worker);
      simulation.settle();
    }
    expect([requests.on(1), requests.on(2), requests.on(3)]).toEqual([1, 1, 1]);
  });

  test('a request that is given up while it waits takes no slot', () => {
    const { simulation, first, second } = pair(one(1));
    const requests = new Requests();
    requests.begin(first)?.cancel();
    simulation.settle();
    expect(requests.open).toHaveLength(0);
    requests.begin(second);
    simulation.settle();
    expect(requests.open).toHaveLength(1);
  });

  test('a dead worker’s slots are free', () => {
    const { simulation, first, second } = pair(one(2));
    const requests = new Requests();
    for (let i = 0; i < 2; i++) requests.begin(first);
    simulation.settle();
    simulation.kill(0);
    requests.open.length = 0;
    for (let i = 0; i < 3; i++) requests.begin(second);
    simulation.settle();
    expect([requests.open.length, requests.refused]).toEqual([2, 1]);
  });

  test('a worker that does not answer is waited for once', () => {
    const simulation = new ZoneSimulation(one(4), 3);
    const [first, second, third] = simulation.workers as [SimulatedWorker, SimulatedWorker, SimulatedWorker];
    const requests = new Requests();
    requests.begin(third);
    simulation.settle();
    simulation.stop(third.id);
    for (let i = 0; i < 4; i++) requests.begin(first);
    simulation.settle();
    expect(requests.waiting).toBe(4);
    simulation.elapse();
    simulation.settle();
    expect([requests.open.length, requests.refused]).toEqual([4, 1]);
    requests.begin(second);
    simulation.settle();
    expect([requests.waiting, requests.refused]).toEqual([0, 2]);
  });

  test('a limit that a reload makes smaller holds as soon as what is under way allows', () => {
    const { simulation, first, second } = pair(one(6));
    const requests = new Requests();
    for (let i = 0; i < 3; i++) for (const worker of [first, second]) requests.begin(worker);
    simulation.settle();
    expect(requests.open).toHaveLength(6);
    for (const worker of [first, second]) worker.load(one(2));
    simulation.settle();
    for (let left = 5; left >= 2; left--) {
      requests.end();
      requests.begin(first);
      requests.begin(second);
      simulation.settle();
      expect(requests.open).toHaveLength(left);
    }
    requests.end();
    requests.begin(second);
    simulation.settle();
    expect(requests.open).toHaveLength(2);
  });

  test('a limit that a reload takes away or brings', () => {
    const { simulation, first, second } = pair(one(1));
    const requests = new Requests();
    const beginAll = (): void => {
      for (const worker of [first, second]) for (let i = 0; i < 2; i++) requests.begin(worker);
      simulation.settle();
    };
    beginAll();
    expect(requests.open).toHaveLength(1);
    for (const worker of [first, second]) worker.load(one(0));
    simulation.settle();
    beginAll();
    expect(requests.open).toHaveLength(5);
    while (requests.open.length > 0) requests.end();
    for (const worker of [first, second]) worker.load(one(3));
    simulation.settle();
    beginAll();
    expect(requests.open).toHaveLength(3);
  });

  test('whatever happens, never more than max_conns, and every slot comes back', () => {
    type Step = {
      readonly do: 'begin' | 'end' | 'deliver' | 'cancel' | 'replace' | 'reload' | 'elapse';
      readonly n: number;
    };
    const step: fc.Arbitrary<Step> = fc.record({
      do: fc.constantFrom(
        'begin',
        'begin',
        'begin',
        'end',
        'end',
        'deliver',
        'deliver',
        'cancel',
        'replace',
        'reload',
        'elapse',
      ),
      n: fc.nat(50),
    });
    const text = one(3, 'server 127.0.0.1:2 max_conns=2; server 127.0.0.1:3 max_conns=1 backup;');
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const simulation = new ZoneSimulation(text, 3);
        const requests = new Requests();
        const waits: { cancel(): void }[] = [];
        let cancelled = 0;
        let nextId = 10;
        for (const { do: deed, n } of steps) {
          const worker = simulation.workers[n % 3] as SimulatedWorker;
          if (deed === 'begin') {
            const wait = requests.begin(worker);
            if (wait !== null) waits.push(wait);
          } else if (deed === 'end') requests.end(requests.open.length === 0 ? 0 : n % requests.open.length);
          else if (deed === 'deliver') simulation.deliver();
          else if (deed === 'elapse') simulation.elapse();
          else if (deed === 'reload') worker.load(text);
          else if (deed === 'cancel') {
            waits.splice(n % Math.max(waits.length, 1), 1)[0]?.cancel();
            cancelled++;
          } else {
            simulation.kill(worker.id);
            const left = requests.open.filter((one) => one.worker !== worker);
            requests.open.splice(0, Number.POSITIVE_INFINITY, ...left);
            simulation.addWorker(nextId++);
          }
          expect(requests.on(1)).toBeLessThanOrEqual(3);
          expect(requests.on(2)).toBeLessThanOrEqual(2);
          expect(requests.on(3)).toBeLessThanOrEqual(1);
        }
        simulation.settle();
        while (requests.open.length > 0) requests.end();
        simulation.settle();
        // Nothing is lost on the way: any worker can have them all.
        const last = new Requests();
        for (let i = 0; i < 7; i++) last.begin(simulation.workers[0] as SimulatedWorker);
        simulation.settle();
        expect([last.on(1), last.on(2), last.on(3), last.refused]).toEqual([3, 2, 1, 1]);
        expect(cancelled).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 300 },
    );
  });
});
