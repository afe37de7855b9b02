const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5000;

/** How long to wait before a dead worker is replaced: not at all, but when workers die before they serve, longer each time. */
export class RespawnDelay {
  #deathsAtStart = 0;

  /** `hasServed`: it had come as far as to accept connections. */
  afterDeath(hasServed: boolean): number {
    if (hasServed) {
      this.#deathsAtStart = 0;
      return 0;
    }
    return Math.min(FIRST_DELAY_MS * 2 ** this.#deathsAtStart++, LONGEST_DELAY_MS);
  }
}
