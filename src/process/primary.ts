import { ConfigError } from '../config/diagnostic.ts';
import { nowMs, wallMs } from '../core/clock.ts';
import { LimitArbiter } from '../modules/limit-zone/limit-arbiter.ts';
import { fetchResponse } from '../net/ocsp/fetch-response.ts';
import { SessionArbiter } from '../net/tls-sessions/session-arbiter.ts';
import type { TicketKeyRing } from '../net/tls-sessions/ticket-key-ring.ts';
import type { LogFiles } from '../observe/log-files.ts';
import { HealthKeeper } from '../probe/health-keeper.ts';
import { NameRetry } from '../upstream/name-retry.ts';
import type { ResolvedAddress } from '../upstream/resolved-names.ts';
import { ZoneArbiter } from '../upstream/zone-arbiter.ts';
import { CheckerLink } from './checker-link.ts';
import type { Configuration } from './configuration.ts';
import { FileWatch } from './file-watch.ts';
import type { LoadedConfiguration } from './load-configuration.ts';
import { handLogsOver } from './log-owner.ts';
import type { MainLog } from './main-log.ts';
import type { FromWorker } from './messages.ts';
import { raiseOpenFilesLimit } from './open-files-limit.ts';
import { PidFile, pidPath } from './pid-file.ts';
import { reload } from './reload.ts';
import { renewCertificates } from './renew-certificates.ts';
import { RespawnDelay } from './respawn-delay.ts';
import { SocketSet } from './socket-set.ts';
import { Stapler } from './stapler.ts';
import { StatsCollector } from './stats-collector.ts';
import type { ForkOptions, WorkerLink } from './worker-link.ts';
import { WorkerPool } from './worker-pool.ts';
import type { WorkerSlot } from './worker-slot.ts';

export interface PrimaryParts {
  readonly log: MainLog;
  readonly logFiles: LogFiles;
  /** Reads and checks the configuration anew (reload). It opens log files; the primary says `begin` and `commit` or `abandon` around it. */
  readonly load: () => Promise<LoadedConfiguration>;
  readonly ticketKeys: TicketKeyRing;
  readonly makeLink: (config: Configuration) => WorkerLink;
  /** How children are started. */
  readonly forkOptions: (config: Configuration) => ForkOptions;
}

/** What the process is doing; later ones are never left again. */
export const PRIMARY_STATES = ['starting', 'serving', 'quitting', 'stopping'] as const;
export type PrimaryState = (typeof PRIMARY_STATES)[number];

/** How long a key makes session tickets. */
const TICKET_KEY_LIFE_MS = 12 * 3_600_000;

/** `ssl_certificate_watch`: between two looks at the files. */
const TLS_FILES_EVERY_MS = 1000;

/** The primary: owns sockets, pid file, configuration and workers; serves no traffic itself. */
export class Primary {
  readonly #parts: PrimaryParts;
  readonly #sockets: SocketSet;
  readonly #pool: WorkerPool;
  readonly #stapler: Stapler;
  readonly #stats = new StatsCollector();
  readonly #zones = new ZoneArbiter({
    send: (pid, payload) => this.#linkOf(pid)?.send({ type: 'zone', payload }),
    schedule: (flush) => void setImmediate(flush),
    later: (check, ms) => void setTimeout(check, ms).unref(),
    onPanic: (isOn, text) => this.#parts.log.write(isOn ? 'warn' : 'notice', text),
  });
  readonly #health = new HealthKeeper({
    onChange: (peer, check) => this.#zones.check(peer, check),
    log: (level, text) => this.#parts.log.write(level, text),
    now: nowMs,
    wall: wallMs,
  });
  readonly #checker: CheckerLink;
  readonly #limits = new LimitArbiter({
    send: (pid, payload) => this.#linkOf(pid)?.send({ type: 'limit', payload }),
    now: () => Math.floor(nowMs()),
  });
  readonly #sessions = new SessionArbiter({
    send: (pid, payload) => this.#linkOf(pid)?.send({ type: 'session', payload }),
    now: nowMs,
    soon: (answer) => void setImmediate(() => setImmediate(answer)),
  });
  readonly #tlsWatch = new FileWatch({
    everyMs: TLS_FILES_EVERY_MS,
    onChange: (changed) => this.#enqueue(() => this.#renewCertificates(changed)),
  });
  #ticketTimer: NodeJS.Timeout | undefined;
  readonly #nameRetry = new NameRetry({ onResolved: (name, addresses) => this.#nameResolved(name, addresses) });
  readonly #respawnDelay = new RespawnDelay();
  #configuration: Configuration;
  /** `master_process` as it was at start: a reload can't change it. */
  readonly #hasMaster: boolean;
  readonly #pidFile: PidFile;
  #generation = 1;
  #state: PrimaryState = 'starting';
  /** WINCH: no workers until the next reload. */
  #isIdle = false;
  #isReloadAsked = false;
  /** QUIT, TERM or INT came. */
  readonly #leaving = new AbortController();
  /** Starts and reloads come one after the other. */
  #work: Promise<void> = Promise.resolve();
  #end: () => void = () => undefined;
  /** Resolves when all is over: workers gone, sockets closed, pid file removed. */
  readonly ended: Promise<void>;

  constructor(configuration: Configuration, parts: PrimaryParts) {
    this.#configuration = configuration;
    this.#hasMaster = configuration.core.hasMaster;
    this.#parts = parts;
    this.#pidFile = new PidFile(pidPath(configuration));
    this.#sockets = new SocketSet(parts.log);
    this.#stapler = new Stapler({
      log: parts.log,
      onStaple: (staple) => {
        for (const { link } of this.#pool.alive) link.send({ type: 'staple', staple });
      },
      wallMs,
      fetch: fetchResponse,
    });
    this.#checker = new CheckerLink({ log: parts.log, onReport: (report) => this.#health.observe(report) });
    this.#pool = new WorkerPool(parts.log, this.#sockets, parts.makeLink, {
      onStart: ({ link }) => {
        for (const staple of this.#stapler.staples) link.send({ type: 'staple', staple });
      },
      onMessage: (worker, message) => this.#onMessage(worker, message),
      onDeath: (worker, hasServed) => this.#onDeath(worker, hasServed),
      onEnd: (worker) => {
        this.#stats.ended(worker);
        this.#zones.workerGone(worker.pid);
        this.#limits.workerGone(worker.pid);
      },
    });
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Binds, starts the workers, writes the pid file. False: it failed or was told to leave, and why is in the log; nothing is left behind. */
  start(): Promise<boolean> {
    const started = this.#start();
    // A HUP that comes meanwhile is obeyed afterwards.
    this.#work = started.then(() => undefined).catch(crash);
    return started;
  }

  async #start(): Promise<boolean> {
    const { log } = this.#parts;
    const { core, listens } = this.#configuration;
    // 1. sockets
    const bound = await this.#sockets.bind(listens, this.#leaving.signal);
    if (await this.#isToldToLeave()) {
      if (bound !== null) this.#sockets.abandon(bound);
      return false;
    }
    if (bound === null) return false;
    this.#sockets.commit(bound);
    // 2. what workers inherit
    handLogsOver(this.#parts.logFiles, core.user);
    raiseOpenFilesLimit(core.openFilesLimit, log);
    this.#limits.open(this.#configuration.limitZones);
    this.#sessions.open(this.#configuration.sessionZones);
    // 3. checks, and workers that know what they say
    this.#check();
    log.write('notice', 'start worker processes');
    const results = await Promise.all(
      this.#pool
        .emptySlots(this.#workerCount)
        .map((slot) => this.#pool.start(slot, this.#withChecks(this.#configuration), 1)),
    );
    if (await this.#isToldToLeave()) return false;
    const failed = results.find((result) => result.outcome !== 'done');
    if (failed !== undefined) {
      const findings = failed.outcome === 'refused' ? failed.findings : ['a worker process ended before it was ready'];
      for (const text of findings) log.write('emerg', text);
      return this.#giveUp();
    }
    // 4. everybody may know
    try {
      this.#pidFile.write();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      log.write('emerg', error.message);
      return this.#giveUp();
    }
    this.#state = 'serving';
    this.#nameRetry.follow(this.#configuration.forWorkers.names);
    this.#ticketTimer = setInterval(() => this.#rotateTicketKeys(), TICKET_KEY_LIFE_MS).unref();
    this.#tlsWatch.follow(this.#configuration.watchedTlsFiles.flat());
    this.#stapler.follow(this.#configuration.stapleJobs);
    return true;
  }

  /** HUP. */
  reload(): void {
    // One that has not begun yet will read what is there then: several HUPs in a row are one, as in nginx.
    if (this.#isReloadAsked) return;
    this.#isReloadAsked = true;
    this.#enqueue(() => {
      this.#isReloadAsked = false;
      return this.#reload();
    });
  }

  /** USR1. */
  reopen(): void {
    for (const text of this.#parts.logFiles.reopen()) this.#parts.log.write('emerg', text);
    handLogsOver(this.#parts.logFiles, this.#configuration.core.user);
    for (const worker of this.#pool.alive) worker.link.send({ type: 'reopen' });
  }

  /** WINCH: the workers leave, the primary stays with its sockets; HUP brings workers back. */
  drainWorkers(): void {
    if (!this.#hasMaster) return; // there is nobody else
    this.#isIdle = true;
    this.#pool.quitFrom(0, this.#configuration.core.shutdownTimeoutMs);
  }

  /** QUIT. */
  quit(): void {
    if (this.#state === 'quitting' || this.#state === 'stopping') return;
    this.#state = 'quitting';
    this.#pool.quitFrom(0, this.#configuration.core.shutdownTimeoutMs);
    this.#leave();
  }

  /** TERM, INT. */
  stop(): void {
    if (this.#state === 'stopping') return;
    const wasLeaving = this.#state === 'quitting';
    this.#state = 'stopping';
    this.#pool.stopAll();
    if (!wasLeaving) this.#leave();
  }

  /** Closes the sockets, waits for the workers, removes the pid file. */
  #leave(): void {
    this.#leaving.abort();
    this.#nameRetry.stop();
    this.#tlsWatch.stop();
    this.#stapler.stop();
    clearInterval(this.#ticketTimer);
    this.#checker.stop();
    const workers = this.#pool.allEnded();
    this.#closeSockets();
    workers
      .then(() => {
        const failure = this.#pidFile.remove();
        if (failure !== null) this.#parts.log.write('alert', failure);
        this.#parts.log.write('notice', 'exit');
        this.#end();
      })
      .catch(crash);
  }

  /** While it starts. Resolves true when all that was started has ended. */
  async #isToldToLeave(): Promise<boolean> {
    if (!this.#leaving.signal.aborted) return false;
    await this.ended;
    return true;
  }

  async #giveUp(): Promise<false> {
    this.#state = 'stopping';
    this.#checker.stop();
    const workers = this.#pool.allEnded();
    this.#pool.stopAll();
    await workers;
    this.#closeSockets();
    return false;
  }

  #closeSockets(): void {
    for (const socket of this.#sockets.commit({ sockets: new Map(), added: [], addresses: [] }))
      socket.close(this.#hasMaster);
  }

  get #workerCount(): number {
    return this.#hasMaster ? this.#configuration.core.workerProcesses : 1;
  }

  async #reload(): Promise<void> {
    if (this.#state !== 'serving') return;
    const configuration = await reload({
      ...this.#parts,
      sockets: this.#sockets,
      pool: this.#pool,
      pidFile: this.#pidFile,
      generation: ++this.#generation,
      hasMaster: this.#hasMaster,
      leaving: this.#leaving.signal,
      limitZones: this.#configuration.limitZones,
      complete: (next) => this.#withChecks(next),
      onSwap: (next) => {
        this.#limits.open([...this.#configuration.limitZones, ...next.limitZones]);
        this.#sessions.open([...this.#configuration.sessionZones, ...next.sessionZones]);
      },
    });
    if (configuration === null) return;
    this.#configuration = configuration;
    this.#limits.open(configuration.limitZones);
    this.#sessions.open(configuration.sessionZones);
    if (this.#state === 'serving') this.#check();
    this.#isIdle = false;
    if (this.#state !== 'serving') return;
    this.#nameRetry.follow(configuration.forWorkers.names);
    this.#tlsWatch.follow(configuration.watchedTlsFiles.flat());
    this.#stapler.follow(configuration.stapleJobs);
    this.#pool.quitFrom(this.#workerCount, configuration.core.shutdownTimeoutMs);
    await this.#fillSlots();
  }

  #rotateTicketKeys(): void {
    const { ticketKeys } = this.#parts;
    ticketKeys.rotate();
    const keys = ticketKeys.texts;
    this.#configuration = {
      ...this.#configuration,
      forWorkers: { ...this.#configuration.forWorkers, ticketKeys: keys },
    };
    for (const { link } of this.#pool.alive) link.send({ type: 'ticket-keys', keys });
  }

  async #renewCertificates(changed: readonly string[]): Promise<void> {
    if (this.#state !== 'serving') return;
    const renewed = await renewCertificates({
      ...this.#parts,
      pool: this.#pool,
      configuration: this.#configuration,
      changed,
      generation: ++this.#generation,
    });
    if (renewed === null) return;
    // Names may have been resolved meanwhile.
    const { forWorkers } = this.#configuration;
    const { tlsFiles } = renewed.forWorkers;
    const { stapleJobs } = renewed;
    this.#configuration = { ...this.#configuration, stapleJobs, forWorkers: { ...forWorkers, tlsFiles } };
    this.#stapler.follow(stapleJobs);
  }

  async #fillSlots(): Promise<void> {
    const generation = this.#generation;
    await Promise.all(
      this.#pool.emptySlots(this.#workerCount).map(async (slot) => {
        const result = await this.#pool.start(slot, this.#withChecks(this.#configuration), generation);
        if (result.outcome !== 'refused') return;
        for (const text of result.findings) this.#parts.log.write('emerg', text);
        const worker = this.#pool.workers.find((candidate) => candidate.slot === slot);
        if (worker !== undefined) this.#pool.discard(worker);
        this.#replaceLater(this.#respawnDelay.afterDeath(false));
      }),
    );
  }

  #onDeath(worker: WorkerSlot, hasServed: boolean): void {
    if (this.#state !== 'serving' || this.#isIdle) return;
    if (worker.link.isInProcess) {
      this.stop();
      return;
    }
    this.#replaceLater(this.#respawnDelay.afterDeath(hasServed));
  }

  #replaceLater(delayMs: number): void {
    const replace = (): void =>
      this.#enqueue(async () => {
        if (this.#state === 'serving' && !this.#isIdle) await this.#fillSlots();
      });
    if (delayMs === 0) replace();
    else setTimeout(replace, delayMs).unref();
  }

  #onMessage(worker: WorkerSlot, message: FromWorker): void {
    switch (message.type) {
      case 'counters':
        worker.counters = message.counters;
        return;
      case 'stats-answer':
        this.#stats.answered(worker, message.query, message.stats);
        return;
      case 'stats-request':
        this.#stats
          .collect(this.#pool.alive, message.isFull)
          .then((stats) => worker.link.send({ type: 'stats-reply', query: message.query, stats }))
          .catch(crash);
        return;
      case 'socket-wanted':
        this.#pool.giveSocketAgain(worker, message.key);
        return;
      case 'connection-numbers-wanted':
        this.#pool.giveConnectionNumbers(worker);
        return;
      case 'zone':
        this.#zones.receive(worker.pid, message.payload);
        return;
      case 'limit':
        this.#limits.receive(worker.pid, message.payload);
        return;
      case 'session':
        this.#sessions.receive(worker.pid, message.payload);
        return;
      default:
        return;
    }
  }

  #linkOf(pid: number): WorkerLink | undefined {
    return this.#pool.alive.find((worker) => worker.pid === pid)?.link;
  }

  /** Workers that start later know it too. */
  #nameResolved(name: string, addresses: readonly ResolvedAddress[]): void {
    const { forWorkers } = this.#configuration;
    const names = { ...forWorkers.names, [name]: addresses };
    this.#configuration = { ...this.#configuration, forWorkers: { ...forWorkers, names } };
    this.#parts.log.write(
      'notice',
      `host "${name}" resolved to ${addresses.map((address) => address.host).join(', ')}`,
    );
    this.#configuration.health.upstreams.applyName(name, addresses);
    this.#health.open(this.#configuration.health.plan);
    const { checks } = this.#withChecks(this.#configuration).forWorkers;
    for (const worker of this.#pool.alive) worker.link.send({ type: 'name', name, addresses, checks });
    this.#checker.nameResolved(name, addresses, this.#configuration.forWorkers);
  }

  /** Health checks of the configuration in force. */
  #check(): void {
    const { health, forWorkers } = this.#configuration;
    this.#health.open(health.plan);
    if (health.plan.checks.length === 0) this.#checker.stop();
    else this.#checker.check(forWorkers, this.#parts.forkOptions(this.#configuration));
  }

  #withChecks(configuration: Configuration): Configuration {
    const checks = this.#health.expected(configuration.health.plan);
    return { ...configuration, forWorkers: { ...configuration.forWorkers, checks } };
  }

  #enqueue(work: () => Promise<void>): void {
    this.#work = this.#work.then(work).catch(crash);
  }
}

/** A bug: better a process that ends, and is started anew, than one that half works. */
function crash(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}
