import { directoryOf } from '../config/full-name.ts';
import { readScopes } from '../config/walk.ts';
import { nowMs } from '../core/clock.ts';
import { coreModule } from '../modules/core/core-module.ts';
import type { WorkerUser } from '../modules/core/worker-user.ts';
import { TlsFiles } from '../net/tls-files.ts';
import { TicketKeyRing } from '../net/tls-sessions/ticket-key-ring.ts';
import type { LogFiles } from '../observe/log-files.ts';
import { checkedPeers, type HealthPlan } from '../probe/health-plan.ts';
import type { Probe, ProbeResult } from '../probe/probe.ts';
import { ProbeScheduler, type ScheduledCheck } from '../probe/scheduler.ts';
import { MODULES } from '../runtime/module-list.ts';
import type { ResolvedAddress } from '../upstream/resolved-names.ts';
import type { UpstreamRegistry } from '../upstream/upstream-registry.ts';
import { inertParts } from './check-configuration.ts';
import type { FromChecker, ToChecker } from './checker-messages.ts';
import { compileConfig } from './compile-config.ts';
import type { MainLog } from './main-log.ts';
import type { WorkerConfig } from './messages.ts';

export interface CheckerHost {
  send(message: FromChecker): void;
  /** Gives up root's rights; throws when it must and can't. */
  dropPrivileges(user: WorkerUser | null): void;
}

export interface CheckerParts {
  readonly log: MainLog;
  readonly logFiles: LogFiles;
}

interface PlanInForce {
  readonly plan: HealthPlan;
  readonly upstreams: UpstreamRegistry;
  /** By check. */
  readonly probes: ReadonlyMap<string, Probe>;
}

/** Makes the checks of the configuration in force, for all workers, and tells the primary what came of them. It serves nothing. */
export class Checker {
  readonly #host: CheckerHost;
  readonly #parts: CheckerParts;
  readonly #scheduler: ProbeScheduler;
  #inForce: PlanInForce | null = null;
  #hasDropped = false;

  constructor(host: CheckerHost, parts: CheckerParts) {
    this.#host = host;
    this.#parts = parts;
    this.#scheduler = new ProbeScheduler({
      now: nowMs,
      random: Math.random,
      onResult: (check, result, tookMs) => this.#report(check, result, tookMs),
    });
  }

  async receive(message: ToChecker): Promise<void> {
    if (message.type === 'config') return this.#take(message.config);
    this.#nameResolved(message.name, message.addresses);
  }

  stop(): void {
    this.#scheduler.stop();
    for (const probe of this.#inForce?.probes.values() ?? []) probe.close?.();
    this.#inForce = null;
  }

  async #take(config: WorkerConfig): Promise<void> {
    const { plan, upstreams, user } = this.#compile(config);
    const probes = new Map<string, Probe>();
    // The libraries are loaded as whoever started us: the workers' user may not be able to read them.
    for (const check of plan.checks) probes.set(check.key, await check.makeProbe());
    if (!this.#hasDropped) this.#host.dropPrivileges(user);
    this.#hasDropped = true;
    const before = this.#inForce;
    this.#inForce = { plan, upstreams, probes };
    this.#schedule();
    for (const probe of before?.probes.values() ?? []) probe.close?.();
  }

  /** The primary has found nothing wrong with it. */
  #compile(config: WorkerConfig): { plan: HealthPlan; upstreams: UpstreamRegistry; user: WorkerUser | null } {
    const { snapshot } = config;
    const { main } = readScopes(snapshot.tree, MODULES);
    const ticketKeys = new TicketKeyRing();
    ticketKeys.take(config.ticketKeys);
    const { logFiles, log } = this.#parts;
    // The logs of requests are not for this process.
    logFiles.begin();
    const { compiled, diagnostics } = compileConfig(main, snapshot, {
      ...config,
      ...inertParts(),
      log,
      logFiles,
      tls: new TlsFiles(ticketKeys, config.tlsFiles, directoryOf(snapshot.file) || snapshot.prefix),
    });
    logFiles.abandon();
    if (compiled === null) {
      throw new Error(`the configuration does not compile here: ${diagnostics.map(({ text }) => text).join('; ')}`);
    }
    return { plan: compiled.healthPlan, upstreams: compiled.upstreams, user: main.conf(coreModule).user };
  }

  #nameResolved(name: string, addresses: readonly ResolvedAddress[]): void {
    this.#inForce?.upstreams.applyName(name, addresses);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#inForce === null) return;
    const { plan, probes } = this.#inForce;
    this.#scheduler.replace(
      plan.checks.flatMap((check) =>
        checkedPeers(check).map(({ id, address }) => ({
          key: JSON.stringify([check.key, id]),
          intervalMs: check.intervalMs,
          jitterMs: check.jitterMs,
          target: address,
          probe: probes.get(check.key) as Probe,
        })),
      ),
    );
  }

  #report(check: ScheduledCheck, { isPassed, doing, reason }: ProbeResult, tookMs: number): void {
    const [key, peer] = JSON.parse(check.key) as [string, string];
    this.#host.send({ type: 'report', report: { check: key, peer, isPassed, doing, reason, tookMs } });
  }
}
