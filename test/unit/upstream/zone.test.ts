import { describe, expect, test } from 'vitest';
import { type Lease, type SimulatedWorker, ZoneSimulation } from './zone-simulation.ts';

const TWO =
  'upstream u { zone z 64k; server 127.0.0.1:1 max_fails=3 fail_timeout=10s; server 127.0.0.1:2 max_fails=0; }';
const LEAST = `upstream u { zone z 64k; least_conn; ${[1, 2, 3].map((n) => `server 127.0.0.1:${n};`).join(' ')} }`;

/** Fails the peer `:1` once in that worker. */
function failOnce(worker: SimulatedWorker, nowMs: number): void {
  for (;;) {
    const lease = worker.pick(nowMs);
    if (lease === null) throw new Error('nothing to fail');
    const isWanted = lease.peer.addressText.endsWith(':1');
    worker.release(lease, isWanted ? 'failed' : 'ok', nowMs);
    if (isWanted) return;
  }
}

/** Peers that ten requests in each worker meet. */
function met(simulation: ZoneSimulation, nowMs: number): string[] {
  const seen = new Set<string>();
  for (const worker of simulation.workers) {
    for (let i = 0; i < 10; i++) seen.add(worker.request('ok', nowMs) ?? 'none');
  }
  return [...seen].toSorted();
}

function fails(simulation: ZoneSimulation): (number | undefined)[] {
  return simulation.workers.map((worker) => worker.group.peers[0]?.fails);
}

describe('failures with a zone', () => {
  test('count over all workers', () => {
    const simulation = new ZoneSimulation(TWO, 3);
    for (const [i, worker] of simulation.workers.entries()) {
      failOnce(worker, 1000 + i);
      simulation.settle();
    }
    expect(fails(simulation)).toEqual([3, 3, 3]);
    expect(met(simulation, 1100)).toEqual(['2']);
  });

  test('that happen at the same time in several workers all count', () => {
    const simulation = new ZoneSimulation(TWO, 3);
    for (const worker of simulation.workers) failOnce(worker, 1000);
    expect(fails(simulation)).toEqual([1, 1, 1]);
    simulation.settle();
    expect(fails(simulation)).toEqual([3, 3, 3]);
  });

  test('lower the effective weight in every worker', () => {
    const text = 'upstream u { zone z 64k; server 127.0.0.1:1 weight=9 max_fails=3; server 127.0.0.1:2; }';
    const simulation = new ZoneSimulation(text, 2);
    const [first] = simulation.workers;
    if (first === undefined) throw new Error('no worker');
    failOnce(first, 1000);
    simulation.settle();
    expect(simulation.workers.map((worker) => worker.group.peers[0]?.effectiveWeight)).toEqual([6, 6]);
  });

  test('after fail_timeout exactly one worker makes one trial; its success brings the peer back everywhere', () => {
    const simulation = new ZoneSimulation(TWO, 4);
    for (const worker of simulation.workers.slice(0, 3)) failOnce(worker, 1000);
    simulation.settle();

    const trials: { worker: SimulatedWorker; lease: Lease }[] = [];
    for (let nowMs = 11_001; nowMs < 11_100; nowMs++) {
      for (const worker of simulation.workers) {
        const lease = worker.pick(nowMs);
        if (lease === null) continue;
        if (lease.peer.addressText.endsWith(':1')) trials.push({ worker, lease });
        else worker.release(lease, 'ok', nowMs);
      }
      simulation.deliver();
    }
    expect(trials.length).toBe(1);
    trials[0]?.worker.release(trials[0].lease, 'ok', 11_100);
    simulation.settle();
    expect(fails(simulation)).toEqual([0, 0, 0, 0]);
    expect(met(simulation, 11_200)).toEqual(['1', '2']);
  });

  test('a worker without the right to try gets it when the one that has it has no traffic', () => {
    const simulation = new ZoneSimulation(TWO, 2);
    const [idle, busy] = simulation.workers;
    if (idle === undefined || busy === undefined) throw new Error('no workers');
    for (let i = 0; i < 3; i++) failOnce(idle, 1000);
    simulation.settle();
    expect(idle.group.peers[0]?.mayTry).toBe(true);
    expect(busy.group.peers[0]?.mayTry).toBe(false);

    expect(busy.request('ok', 11_500)).toBe('2'); // asks on the way
    simulation.settle();
    expect([idle.group.peers[0]?.mayTry, busy.group.peers[0]?.mayTry]).toEqual([false, true]);
    const seen = [busy.request('ok', 11_501), busy.request('ok', 11_501)];
    expect(seen).toContain('1');
    simulation.settle();
    expect(fails(simulation)).toEqual([0, 0]);
  });

  test('a failed trial keeps the peer out for another fail_timeout, everywhere', () => {
    const simulation = new ZoneSimulation(TWO, 2);
    const [first, second] = simulation.workers;
    if (first === undefined || second === undefined) throw new Error('no workers');
    for (let i = 0; i < 3; i++) failOnce(first, 1000);
    simulation.settle();
    failOnce(first, 11_500);
    simulation.settle();
    expect(met(simulation, 21_400)).toEqual(['2']);
    simulation.settle();
    expect(met(simulation, 21_600)).toContain('1');
  });

  test('outlive the worker that met them; its right to try goes to another', () => {
    const simulation = new ZoneSimulation(TWO, 2);
    const [first] = simulation.workers;
    if (first === undefined) throw new Error('no worker');
    for (let i = 0; i < 3; i++) failOnce(first, 1000);
    simulation.settle();
    simulation.kill(0);
    simulation.addWorker(7);
    simulation.settle();
    expect(fails(simulation)).toEqual([3, 3]);
    expect(met(simulation, 1100)).toEqual(['2']);
    simulation.settle();
    met(simulation, 11_500);
    simulation.settle();
    expect(met(simulation, 11_501)).toContain('1');
  });

  test('outlive all workers', () => {
    const simulation = new ZoneSimulation(TWO, 1);
    const [first] = simulation.workers;
    if (first === undefined) throw new Error('no worker');
    for (let i = 0; i < 3; i++) failOnce(first, 1000);
    simulation.settle();
    simulation.kill(0);
    simulation.addWorker(1);
    simulation.settle();
    expect(fails(simulation)).toEqual([3]);
  });

  test('survive a reload', () => {
    const simulation = new ZoneSimulation(TWO, 2);
    const [first] = simulation.workers;
    if (first === undefined) throw new Error('no worker');
    for (let i = 0; i < 3; i++) failOnce(first, 1000);
    simulation.settle();
    for (const worker of simulation.workers) worker.load(TWO.replace('}', 'server 127.0.0.1:3; }'));
    simulation.settle();
    expect(fails(simulation)).toEqual([3, 3]);
    expect(met(simulation, 1100)).toEqual(['2', '3']);
  });
});

describe('requests under way with a zone', () => {
  test('least_conn sees those of the other workers', () => {
    const simulation = new ZoneSimulation(LEAST, 3);
    const leases = new Set<string>();
    for (const worker of simulation.workers) {
      leases.add(worker.pick(1000)?.peer.addressText ?? '');
      simulation.settle();
    }
    expect(leases.size).toBe(3);
    expect(simulation.workers.map((worker) => worker.group.peers.map((peer) => peer.active))).toEqual([
      [1, 1, 1],
      [1, 1, 1],
      [1, 1, 1],
    ]);
  });

  test('of a dead worker are dropped', () => {
    const simulation = new ZoneSimulation(LEAST, 2);
    const [first, second] = simulation.workers;
    if (first === undefined || second === undefined) throw new Error('no workers');
    for (let i = 0; i < 9; i++) first.pick(1000);
    simulation.settle();
    expect(second.group.peers.map((peer) => peer.active)).toEqual([3, 3, 3]);
    simulation.kill(0);
    simulation.settle();
    expect(second.group.peers.map((peer) => peer.active)).toEqual([0, 0, 0]);
  });

  test('all return to zero', () => {
    const simulation = new ZoneSimulation(LEAST, 3);
    const open: { worker: SimulatedWorker; lease: Lease }[] = [];
    for (let step = 0; step < 300; step++) {
      const worker = simulation.workers[step % 3] as SimulatedWorker;
      const lease = worker.pick(1000);
      if (lease !== null) open.push({ worker, lease });
      if (step % 4 === 3) {
        const done = open.splice((step * 7) % open.length, 1)[0];
        done?.worker.release(done.lease, 'ok', 1000);
      }
      if (step % 5 === 0) simulation.deliver();
    }
    for (const { worker, lease } of open) worker.release(lease, 'ok', 1000);
    simulation.settle();
    expect(simulation.workers.flatMap((worker) => worker.group.peers.map((peer) => peer.active))).toEqual(
      new Array(9).fill(0),
    );
  });

  test('a group that leaves its zone counts for itself again', () => {
    const simulation = new ZoneSimulation(LEAST, 2);
    const [first, second] = simulation.workers;
    if (first === undefined || second === undefined) throw new Error('no workers');
    first.pick(1000);
    simulation.settle();
    for (const worker of simulation.workers) worker.load(LEAST.replace('zone z 64k;', ''));
    expect(second.group.peers.map((peer) => peer.active)).toEqual([0, 0, 0]);
    expect(first.group.peers.reduce((sum, peer) => sum + peer.active, 0)).toBe(1);
  });
});

describe('round robin with a zone', () => {
  const text =
    'upstream u { zone z 64k; server 127.0.0.1:1 weight=5; server 127.0.0.1:2; server 127.0.0.1:3 weight=2; }';

  test.each([1, 3, 10])('over all workers the shares are the weights, with news after every %i picks', (stride) => {
    const simulation = new ZoneSimulation(text, 4);
    const counts: Record<string, number> = {};
    for (let i = 0; i < 800; i++) {
      const peer = (simulation.workers[(i * 7 + (i >> 3)) % 4] as SimulatedWorker).request('ok', 1000) ?? '';
      counts[peer] = (counts[peer] ?? 0) + 1;
      if (i % stride === 0) simulation.settle();
    }
    // At most what all workers can pick before they hear of each other.
    const slack = stride + 1;
    expect(Math.abs((counts['1'] ?? 0) - 500)).toBeLessThanOrEqual(slack);
    expect(Math.abs((counts['2'] ?? 0) - 100)).toBeLessThanOrEqual(slack);
    expect(Math.abs((counts['3'] ?? 0) - 200)).toBeLessThanOrEqual(slack);
  });

  test('heard of at once it is one sequence, nginx’s', () => {
    const simulation = new ZoneSimulation(text, 2);
    const alone = new ZoneSimulation(text.replace('zone z 64k;', ''), 1).workers[0] as SimulatedWorker;
    const seen: (string | null)[] = [];
    for (let i = 0; i < 16; i++) {
      seen.push((simulation.workers[i % 2] as SimulatedWorker).request('ok', 1000));
      simulation.settle();
    }
    expect(seen).toEqual(seen.map(() => alone.request('ok', 1000)));
  });

  test('the only worker sends no counts', () => {
    const simulation = new ZoneSimulation(text, 1);
    const [only] = simulation.workers;
    only?.port.setAlone(true);
    const before = simulation.messages;
    for (let i = 0; i < 100; i++) only?.request('ok', 1000);
    simulation.settle();
    expect(simulation.messages).toBe(before);
  });
});
