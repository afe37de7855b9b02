import type { Peer } from '../../../src/upstream/peer.ts';
import type { PickSession } from '../../../src/upstream/pick-session.ts';
import type { UpstreamGroup } from '../../../src/upstream/upstream-group.ts';
import { UpstreamRegistry } from '../../../src/upstream/upstream-registry.ts';
import { ZoneArbiter } from '../../../src/upstream/zone-arbiter.ts';
import type { ZoneMessage, ZoneUpdate, ZoneWorkerMessage } from '../../../src/upstream/zone-message.ts';
import { ZonePort } from '../../../src/upstream/zone-port.ts';
import { fakeExchange } from './fake-exchange.ts';
import { readUpstreams } from './read-upstreams.ts';

export interface Lease {
  readonly peer: Peer;
  readonly session: PickSession;
  /** The group of the configuration that it began with. */
  readonly group: UpstreamGroup;
}

/** One worker process: its own registry and port. */
export class SimulatedWorker {
  readonly id: number;
  readonly port: ZonePort;
  registry: UpstreamRegistry;

  constructor(
    id: number,
    text: string,
    send: (message: ZoneWorkerMessage) => void,
    schedule: (run: () => void) => void,
  ) {
    this.id = id;
    this.port = new ZonePort({ send, schedule, later: () => undefined });
    this.registry = new UpstreamRegistry({ previous: null, names: {}, zones: this.port });
    this.load(text);
  }

  load(text: string): void {
    const next = new UpstreamRegistry({ previous: this.registry, names: {}, zones: this.port });
    for (const conf of readUpstreams(text).upstreams) next.define(conf, null);
    next.activate();
    this.registry = next;
  }

  get group(): UpstreamGroup {
    const group = this.registry.byName('u');
    if (group === null) throw new Error('no upstream u');
    return group;
  }

  pick(nowMs: number): Lease | null {
    const { group } = this;
    const session = group.newSession(fakeExchange());
    const peer = group.pick(session, nowMs);
    return peer === null ? null : { peer, session, group };
  }

  /** As a request does: waits where a slot may still come. `done` gets null when there is no peer. */
  pickOrWait(nowMs: number, done: (lease: Lease | null) => void): { cancel(): void } | null {
    const { group } = this;
    const session = group.newSession(fakeExchange());
    const attempt = (): { cancel(): void } | null => {
      const peer = group.pick(session, nowMs);
      if (peer === null && session.isShort) return group.awaitSlot(session, nowMs, () => void attempt());
      done(peer === null ? null : { peer, session, group });
      return null;
    };
    return attempt();
  }

  release(lease: Lease, outcome: 'ok' | 'failed' | 'neutral', nowMs: number): void {
    lease.group.release(lease.session, lease.peer, outcome, nowMs);
  }

  /** A whole request at one peer; its last port digit, or null: no live upstreams. */
  request(outcome: 'ok' | 'failed', nowMs: number): string | null {
    const lease = this.pick(nowMs);
    if (lease === null) return null;
    this.release(lease, outcome, nowMs);
    return lease.peer.addressText.slice(-1);
  }
}

/** Primary and workers; messages travel as JSON and only when `deliver` or `settle` says so. */
export class ZoneSimulation {
  readonly workers: SimulatedWorker[] = [];
  readonly arbiter: ZoneArbiter;
  readonly #text: string;
  #wire: (() => void)[] = [];
  #turn: (() => void)[] = [];
  #later: (() => void)[] = [];
  readonly #stopped = new Set<number>();
  messages = 0;

  constructor(text: string, workers: number, onPanic: (isOn: boolean, text: string) => void = () => undefined) {
    this.#text = text;
    this.arbiter = new ZoneArbiter({
      onPanic,
      send: (worker, message) => this.#post(message, (copy: ZoneUpdate) => this.#worker(worker)?.port.receive(copy)),
      schedule: (run) => this.#turn.push(run),
      later: (run) => this.#later.push(run),
    });
    for (let id = 0; id < workers; id++) this.addWorker(id);
    this.settle();
  }

  addWorker(id: number): SimulatedWorker {
    const worker = new SimulatedWorker(
      id,
      this.#text,
      (message) =>
        this.#post(message, (copy: ZoneWorkerMessage) => {
          if (this.#worker(id) !== undefined) this.arbiter.receive(id, copy);
        }),
      (run) => this.#turn.push(run),
    );
    this.workers.push(worker);
    return worker;
  }

  kill(id: number): void {
    const at = this.workers.findIndex((worker) => worker.id === id);
    this.workers.splice(at, 1);
    this.arbiter.workerGone(id);
  }

  /** It hears nothing any more, and is not known to be dead. */
  stop(id: number): void {
    this.#stopped.add(id);
  }

  /** One turn of every event loop, then one trip of what was sent. */
  deliver(): void {
    const turn = this.#turn;
    this.#turn = [];
    for (const run of turn) run();
    const wire = this.#wire;
    this.#wire = [];
    for (const arrive of wire) arrive();
  }

  /** The primary's patience is over with all that it waits for. */
  elapse(): void {
    const later = this.#later;
    this.#later = [];
    for (const run of later) run();
  }

  /** Until nobody has anything to say. */
  settle(): void {
    for (let trips = 0; this.#turn.length > 0 || this.#wire.length > 0; trips++) {
      if (trips > 100) throw new Error('the zones never fall silent');
      this.deliver();
    }
  }

  #worker(id: number): SimulatedWorker | undefined {
    return this.#stopped.has(id) ? undefined : this.workers.find((worker) => worker.id === id);
  }

  #post<M extends ZoneMessage>(message: M, arrive: (copy: M) => void): void {
    this.messages++;
    const text = JSON.stringify(message);
    this.#wire.push(() => arrive(JSON.parse(text)));
  }
}
