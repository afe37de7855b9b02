import { ServiceKey } from '../../http/http-module.ts';
import type { Template } from '../../http/variable.ts';
import type { LimitPort } from './limit-port.ts';
import type { LimitZone } from './limit-zone.ts';

/** A zone with its key, compiled. */
export interface PlannedZone {
  readonly zone: LimitZone;
  readonly key: Template;
}

/** The limits of the configuration being compiled. */
export const LIMITS = new ServiceKey<LimitPlan>('limits');

/** All `limit_req_zone`s and `limit_conn_zone`s of one configuration, and who decides. While it is compiled nothing that lives changes. */
export class LimitPlan {
  readonly port: LimitPort;
  readonly #zones = new Map<string, PlannedZone>();

  constructor(port: LimitPort) {
    this.port = port;
  }

  add(zone: LimitZone, key: Template): void {
    this.#zones.set(zone.name, { zone, key });
  }

  /** Names are unique over both kinds. Undefined: nobody declared it, which is a finding elsewhere. */
  find(name: string): PlannedZone | undefined {
    return this.#zones.get(name);
  }

  get zones(): LimitZone[] {
    return [...this.#zones.values()].map(({ zone }) => zone);
  }

  /** At the swap. `isAlone`: there is no other worker. */
  activate(isAlone: boolean): void {
    this.port.open(this.zones, isAlone);
  }
}
