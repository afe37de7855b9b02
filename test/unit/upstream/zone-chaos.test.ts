import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Lease, ZoneSimulation } from './zone-simulation.ts';

const TEXT = `upstream u {
  zone z 64k; least_conn;
  server 127.0.0.1:1 max_fails=2 fail_timeout=1s weight=3;
  server 127.0.0.1:2 max_fails=1 fail_timeout=2s;
  server 127.0.0.1:3 max_fails=0 max_conns=5;
  server 127.0.0.1:4 backup;
}`;

type Step =
  | { readonly do: 'pick'; readonly worker: number }
  | { readonly do: 'release'; readonly which: number; readonly outcome: 'ok' | 'failed' | 'neutral' }
  | { readonly do: 'deliver' }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'replace'; readonly worker: number }
  | { readonly do: 'reload'; readonly worker: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('pick' as const), worker: fc.nat(2) }) },
  {
    weight: 7,
    arbitrary: fc.record({
      do: fc.constant('release' as const),
      which: fc.nat(50),
      outcome: fc.constantFrom('ok' as const, 'failed' as const, 'neutral' as const),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('deliver' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(1500) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('replace' as const), worker: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reload' as const), worker: fc.nat(2) }) },
);

test('whatever happens, workers agree when all is said, and nothing stays under way', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
      const simulation = new ZoneSimulation(TEXT, 3);
      const open: { readonly workerId: number; readonly lease: Lease }[] = [];
      let nowMs = 1000;
      let nextId = 10;
      const workerOf = (id: number) => simulation.workers.find((worker) => worker.id === id);
      const release = (at: number, outcome: 'ok' | 'failed' | 'neutral') => {
        const one = open.splice(at, 1)[0];
        if (one !== undefined) workerOf(one.workerId)?.release(one.lease, outcome, nowMs);
      };
      for (const one of steps) {
        nowMs += 1;
        if (one.do === 'wait') nowMs += one.ms;
        else if (one.do === 'deliver') simulation.deliver();
        else if (one.do === 'release') release(open.length === 0 ? 0 : one.which % open.length, one.outcome);
        else {
          const worker = simulation.workers[one.worker % simulation.workers.length];
          if (worker === undefined) continue;
          if (one.do === 'reload') worker.load(TEXT);
          else if (one.do === 'replace') {
            simulation.kill(worker.id);
            simulation.addWorker(nextId++);
          } else {
            const lease = worker.pick(nowMs);
            if (lease !== null) open.push({ workerId: worker.id, lease });
          }
        }
      }
      while (open.length > 0) release(0, 'neutral');
      simulation.settle();

      const views = simulation.workers.map((worker) =>
        [...worker.group.peers, ...worker.group.backups].map(({ active, fails, checkedAtMs }) => ({
          active,
          fails,
          // Says nothing while there is no failure, and is not told then.
          checkedAtMs: fails === 0 ? 0 : checkedAtMs,
        })),
      );
      for (const view of views) expect(view).toEqual(views[0]);
      expect(views[0]?.map((peer) => peer.active)).toEqual([0, 0, 0, 0]);
      for (const [i, peer] of simulation.workers[0]?.group.peers.entries() ?? []) {
        const triers = simulation.workers.filter((worker) => worker.group.peers[i]?.mayTry).length;
        const isOut = peer.maxFails !== 0 && peer.fails >= peer.maxFails;
        if (isOut) expect(triers).toBeLessThanOrEqual(1);
        else expect(triers).toBe(3);
      }
    }),
    { numRuns: 300 },
  );
});
