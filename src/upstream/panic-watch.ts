import { isPanic } from '../policy/health/panic.ts';
import type { Peer } from './peer.ts';
import type { GroupSides } from './upstream-group.ts';

/** `panic_threshold`: looks before each pick whether enough of a group is up, and lets all of it serve while too little is. */
export class PanicWatch {
  readonly percent: number;
  readonly #tell: (isOn: boolean, text: string) => void;
  isOn = false;
  /** Times that it began. */
  count = 0;
  #sides: GroupSides | null = null;

  /** `tell` is called at each change, with the text for the log. */
  constructor(percent: number, tell: (isOn: boolean, text: string) => void) {
    this.percent = percent;
    this.#tell = tell;
  }

  look(upstream: string, sides: GroupSides, nowMs: number): void {
    const peers = peersOf(sides);
    let up = 0;
    let all = 0;
    for (const peer of peers) {
      if (peer.canBeUp) all++;
      if (peer.isUp(nowMs)) up++;
    }
    const isOn = isPanic(up, all, this.percent);
    // Peers that came with a name or a reload join in.
    const isNews = isOn !== this.isOn;
    if (isNews || (isOn && this.#sides !== sides)) for (const peer of peers) peer.isPanic = isOn;
    this.#sides = sides;
    if (!isNews) return;
    this.isOn = isOn;
    if (isOn) this.count++;
    this.#tell(
      isOn,
      isOn
        ? `panic in upstream "${upstream}": ${up} of ${all} peers up, panic_threshold is ${this.percent}%: balancing over all of them`
        : `panic in upstream "${upstream}" is over: ${up} of ${all} peers up`,
    );
  }
}

function peersOf({ primaries, backups }: GroupSides): readonly Peer[] {
  return backups === null ? primaries.peers : [...primaries.peers, ...backups.peers];
}
