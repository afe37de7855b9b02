import { LimitArbiter } from '../../../../src/modules/limit-zone/limit-arbiter.ts';
import type {
  LimitMessage,
  LimitPrimaryMessage,
  LimitWorkerMessage,
  ZonedKey,
} from '../../../../src/modules/limit-zone/limit-message.ts';
import { LimitPort } from '../../../../src/modules/limit-zone/limit-port.ts';
import type { LimitZone } from '../../../../src/modules/limit-zone/limit-zone.ts';

const POS = { file: 'test.conf', line: 1 };

export const REQUESTS: LimitZone = {
  id: 'limit_req r 32768',
  kind: 'limit_req',
  name: 'r',
  bytes: 32_768,
  keyText: '$k',
  rateMilliPerSec: 1000,
  pos: POS,
};
export const CONNECTIONS: LimitZone = { ...REQUESTS, id: 'limit_conn c 32768', kind: 'limit_conn', name: 'c' };

export interface Asked {
  readonly kind: string;
  /** Milli-requests. */
  readonly excess: number;
  /** What a release gives back. */
  readonly zoned: ZonedKey[];
}

/** Primary and workers; messages travel as JSON and only when `deliver` or `settle` says so. */
export class LimitSimulation {
  nowMs = 5_000_000;
  messages = 0;
  readonly arbiter: LimitArbiter;
  readonly #ports = new Map<number, LimitPort>();
  #zones: readonly LimitZone[] = [REQUESTS, CONNECTIONS];
  #wire: (() => void)[] = [];
  #turn: (() => void)[] = [];
  #later: (() => void)[] = [];
  #isPrimaryDead = false;

  constructor(workers: number) {
    this.arbiter = new LimitArbiter({
      send: (worker, message) =>
        this.#post(message, (copy: LimitPrimaryMessage) => this.#ports.get(worker)?.receive(copy)),
      now: () => this.nowMs,
    });
    this.arbiter.open(this.#zones);
    for (let id = 0; id < workers; id++) this.addWorker(id, workers === 1);
  }

  addWorker(id: number, isAlone = false): void {
    const port = new LimitPort({
      send: (message) =>
        this.#post(message, (copy: LimitWorkerMessage) => {
          if (!this.#isPrimaryDead && this.#ports.has(id)) this.arbiter.receive(id, copy);
        }),
      schedule: (run) => this.#turn.push(run),
      later: (check) => this.#later.push(check),
    });
    this.#ports.set(id, port);
    port.open(this.#zones, isAlone);
  }

  /** All take the new zones into force; `workers`: how many there are from now on. */
  reload(zones: readonly LimitZone[] = this.#zones, isAlone = this.#ports.size === 1): void {
    this.arbiter.open([...this.#zones, ...zones]);
    this.#zones = zones;
    for (const port of this.#ports.values()) port.open(zones, isAlone);
    this.arbiter.open(zones);
    this.settle();
  }

  kill(id: number): void {
    this.#ports.delete(id);
    this.arbiter.workerGone(id);
  }

  killPrimary(): void {
    this.#isPrimaryDead = true;
  }

  /** PATIENCE has passed. */
  losePatience(): void {
    const later = this.#later;
    this.#later = [];
    for (const check of later) check();
  }

  /** One request of a key that may exceed the rate by `burst` without delay. */
  request(worker: number, key: string, burst: number): Promise<Asked> {
    const zoned = [{ zone: REQUESTS.id, key }];
    const limits = [{ zone: REQUESTS.id, key, burst: burst * 1000, delay: burst * 1000 }];
    return new Promise((resolve) => {
      const done = ({ kind, excess }: { kind: string; excess: number }): void => resolve({ kind, excess, zoned });
      const verdict = this.#port(worker).admitRequest(limits, this.nowMs, done);
      if (verdict !== null) done(verdict);
    });
  }

  connection(worker: number, key: string, most: number): Promise<Asked> {
    const zoned = [{ zone: CONNECTIONS.id, key }];
    const limits = [{ zone: CONNECTIONS.id, key, most }];
    return new Promise((resolve) => {
      const done = ({ kind }: { kind: string }): void => resolve({ kind, excess: 0, zoned });
      const verdict = this.#port(worker).admitConnection(limits, this.nowMs, done);
      if (verdict !== null) done(verdict);
    });
  }

  release(worker: number, zoned: readonly ZonedKey[]): void {
    this.#port(worker).release(zoned);
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

  settle(): void {
    for (let trips = 0; this.#turn.length > 0 || this.#wire.length > 0; trips++) {
      if (trips > 100) throw new Error('the limits never fall silent');
      this.deliver();
    }
  }

  #port(id: number): LimitPort {
    const port = this.#ports.get(id);
    if (port === undefined) throw new Error(`no worker ${id}`);
    return port;
  }

  #post<M extends LimitMessage>(message: M, arrive: (copy: M) => void): void {
    this.messages++;
    const text = JSON.stringify(message);
    this.#wire.push(() => arrive(JSON.parse(text)));
  }
}
