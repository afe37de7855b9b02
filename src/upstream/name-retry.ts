import { type Lookup, lookUpInTime, systemLookup } from './resolve-names.ts';
import type { ResolvedAddress, ResolvedNames } from './resolved-names.ts';

const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 30_000;

export interface NameRetryInit {
  /** Called once for each name that resolves. In the primary: hand it to all workers (`registry.applyName`). */
  readonly onResolved: (name: string, addresses: readonly ResolvedAddress[]) => void;
  readonly lookup?: Lookup;
}

/** Keeps asking for the names that did not resolve at start: after 1 s, 2 s, 4 s … at most every 30 s. */
export class NameRetry {
  readonly #onResolved: NameRetryInit['onResolved'];
  readonly #lookup: Lookup;
  #timers = new Map<string, NodeJS.Timeout | null>();

  constructor(init: NameRetryInit) {
    this.#onResolved = init.onResolved;
    this.#lookup = init.lookup ?? systemLookup;
  }

  /** Follows the names of a new configuration that have no address, and no others. */
  follow(names: ResolvedNames): void {
    this.stop();
    this.#timers = new Map();
    for (const [name, addresses] of Object.entries(names)) {
      if (addresses.length === 0) this.#plan(name, FIRST_DELAY_MS);
    }
  }

  stop(): void {
    for (const timer of this.#timers.values()) if (timer !== null) clearTimeout(timer);
    this.#timers = new Map();
  }

  #plan(name: string, delayMs: number): void {
    const generation = this.#timers;
    const timer = setTimeout(() => void this.#ask(name, delayMs, generation), delayMs);
    timer.unref();
    generation.set(name, timer);
  }

  async #ask(name: string, delayMs: number, generation: Map<string, unknown>): Promise<void> {
    const found = await lookUpInTime(name, this.#lookup);
    if (generation !== this.#timers) return; // another configuration has come meanwhile
    if (found.length === 0) {
      this.#plan(name, Math.min(delayMs * 2, LONGEST_DELAY_MS));
      return;
    }
    this.#timers.delete(name);
    this.#onResolved(name, found);
  }
}
