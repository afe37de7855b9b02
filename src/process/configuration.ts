import type { CoreConf } from '../modules/core/core-module.ts';
import type { LimitZone } from '../modules/limit-zone/limit-zone.ts';
import type { ListenAddress } from '../net/listen-address.ts';
import type { StapleJob } from '../net/ocsp/staple-plan.ts';
import type { SessionZone } from '../net/tls-sessions/session-arbiter.ts';
import type { HealthPlan } from '../probe/health-plan.ts';
import type { UpstreamRegistry } from '../upstream/upstream-registry.ts';
import type { WorkerConfig } from './messages.ts';

/** A configuration that was read and checked, as the primary needs it. */
export interface Configuration {
  readonly core: CoreConf;
  readonly listens: readonly ListenAddress[];
  /** Zones of `limit_req` and `limit_conn`. */
  readonly limitZones: readonly LimitZone[];
  /** Zones of `ssl_session_cache`. */
  readonly sessionZones: readonly SessionZone[];
  /** Files of `ssl_certificate_watch on`, those of one server together; full names. */
  readonly watchedTlsFiles: readonly (readonly string[])[];
  /** Certificates of `ssl_stapling on`. */
  readonly stapleJobs: readonly StapleJob[];
  /** Health checks, and the groups that they are about. */
  readonly health: { readonly plan: HealthPlan; readonly upstreams: UpstreamRegistry };
  /** What the workers get of it. */
  readonly forWorkers: WorkerConfig;
}
