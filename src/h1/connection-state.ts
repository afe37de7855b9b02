import { type Counters, READING, WAITING, WRITING } from '../observe/counters.ts';

/**
 * ```
 *        first byte           head whole             response flushed
 *  idle ------------> head ----------------> busy ----------------------+--> idle (keep-alive, body read)
 *    \                  \                      \ 101                    +--> discarding (keep-alive, body left) --> idle
 *     \                  \                      +----> tunnel           +--> lingering (close, something unread) --> closed
 *      +------------------+--------------------------------------------+--> closing (FIN sent) --> closed
 * ```
 */
export const CONNECTION_STATES = [
  'idle',
  'head',
  'busy',
  'tunnel',
  'discarding',
  'lingering',
  'closing',
  'closed',
] as const;
export type ConnectionStateName = (typeof CONNECTION_STATES)[number];

// Which of stub_status' gauges counts a connection in this state; -1 = none.
const GAUGE: Readonly<Record<ConnectionStateName, number>> = {
  idle: WAITING,
  head: READING,
  busy: WRITING,
  tunnel: WRITING,
  discarding: WRITING,
  lingering: WRITING,
  closing: WRITING,
  closed: -1,
};

/** The state of one client connection, and its place in stub_status. */
export class ConnectionState {
  name: ConnectionStateName = 'idle';
  readonly #counters: Counters;

  constructor(counters: Counters) {
    this.#counters = counters;
    this.#count(GAUGE.idle, 1);
  }

  become(name: ConnectionStateName): void {
    const before = GAUGE[this.name];
    const after = GAUGE[name];
    this.name = name;
    if (before === after) return;
    if (before >= 0) this.#count(before, -1);
    if (after >= 0) this.#count(after, 1);
  }

  #count(gauge: number, by: number): void {
    const { values } = this.#counters;
    values[gauge] = (values[gauge] as number) + by;
  }
}
