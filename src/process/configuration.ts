import type { CoreConf } from '../modules/core/core-module.ts';
import type { ListenAddress } from '../net/listen-address.ts';
import type { WorkerConfig } from './messages.ts';

/** A configuration that was read and checked, as the primary needs it. */
export interface Configuration {
  readonly core: CoreConf;
  readonly listens: readonly ListenAddress[];
  /** What the workers get of it. */
  readonly forWorkers: WorkerConfig;
}
