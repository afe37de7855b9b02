import type { Socket } from 'node:net';
import { EVENTS } from '../config/contexts.ts';
import { formatDiagnostic, hasEmerg } from '../config/diagnostic.ts';
import { directoryOf } from '../config/full-name.ts';
import { readScopes } from '../config/walk.ts';
import { nowMs } from '../core/clock.ts';
import { Deadlines } from '../core/deadlines.ts';
import { strerror } from '../core/strerror.ts';
import { H1Server } from '../h1/h1-server.ts';
import { http2Entry } from '../h2/http2-entry.ts';
import { coreModule } from '../modules/core/core-module.ts';
import type { LimitPrimaryMessage, LimitWorkerMessage } from '../modules/limit-zone/limit-message.ts';
import { LimitPort } from '../modules/limit-zone/limit-port.ts';
import { untilMirrored } from '../modules/mirror/mirrored-request.ts';
import { reportUpstreams } from '../modules/status/upstream-report.ts';
import { Acceptor } from '../net/acceptor.ts';
import { fastTlsIsProven, proveFastTls } from '../net/fast-tls-check.ts';
import type { ListenAddress, ListenHandle } from '../net/listen-address.ts';
import { type Staple, Staples } from '../net/ocsp/staple-plan.ts';
import { readByEvents, SocketWire } from '../net/socket-wire.ts';
import { TlsFiles } from '../net/tls-files.ts';
import { TlsServerWire } from '../net/tls-server-wire.ts';
import type { SessionPrimaryMessage, SessionWorkerMessage } from '../net/tls-sessions/session-message.ts';
import { SessionPort } from '../net/tls-sessions/session-port.ts';
import { TicketKeyRing } from '../net/tls-sessions/ticket-key-ring.ts';
import type { ClusterStatsClient } from '../observe/cluster-stats.ts';
import type { Counters } from '../observe/counters.ts';
import type { LogFiles } from '../observe/log-files.ts';
import { MODULES } from '../runtime/module-list.ts';
import { PeerConnections } from '../upstream/acquire.ts';
import type { ZonePrimaryMessage, ZoneWorkerMessage } from '../upstream/zone-message.ts';
import { ZonePort } from '../upstream/zone-port.ts';
import { AcceptGate } from './accept-gate.ts';
import { AcceptPoint } from './accept-point.ts';
import { type CompiledConfig, compileConfig } from './compile-config.ts';
import type { ConnectionNumbers } from './connection-numbers.ts';
import { listenKey } from './listen-socket.ts';
import type { MainLog } from './main-log.ts';
import type { ToWorker, WorkerConfig } from './messages.ts';
import { TlsGroups } from './tls-choice.ts';
import { ConfigFindings, type PreparedConfig, type WorkerRuntime } from './worker-runtime.ts';

export interface HttpRuntimeParts {
  readonly log: MainLog;
  readonly logFiles: LogFiles;
  readonly counters: Counters;
  readonly connectionNumbers: ConnectionNumbers;
  readonly stats: ClusterStatsClient;
  /** The fast layer works here (net/fast-layer-check). */
  readonly isFast: boolean;
  readonly sendZoneMessage: (message: ZoneWorkerMessage) => void;
  readonly sendLimitMessage: (message: LimitWorkerMessage) => void;
  readonly sendSessionMessage: (message: SessionWorkerMessage) => void;
  /** Asks for a socket that was closed while accepting paused; it comes back through `accept`. Null: nobody else has it, so never pause. */
  readonly askForSocket: ((key: string) => void) | null;
}

/** What a worker serves: the HTTP engine, the compiled configuration in force and the peers, which outlive it. */
export class HttpRuntime implements WorkerRuntime {
  readonly #parts: HttpRuntimeParts;
  readonly #server: H1Server;
  readonly #connections: PeerConnections;
  readonly #zones: ZonePort;
  readonly #limits: LimitPort;
  readonly #sessions: SessionPort;
  readonly #staples = new Staples();
  readonly #ticketKeys = new TicketKeyRing();
  readonly #points = new Map<string, AcceptPoint>();
  #current: CompiledConfig | null = null;
  readonly #gate: AcceptGate;
  #saidAcceptErrorAtMs = Number.NEGATIVE_INFINITY;
  /** Addresses on which accepting is paused. */
  #paused: ListenAddress[] = [];

  constructor(parts: HttpRuntimeParts) {
    const deadlines = new Deadlines(nowMs);
    this.#parts = parts;
    this.#server = new H1Server({
      deadlines,
      counters: parts.counters,
      flushLogs: () => parts.logFiles.flush(),
      nextConnectionId: () => parts.connectionNumbers.next(),
      http2: http2Entry,
    });
    this.#gate = new AcceptGate({
      log: parts.log,
      connectionCount: () => this.#server.connectionCount,
      closeIdle: () => this.#server.closeLongestIdle(),
      pause: parts.askForSocket === null ? null : () => this.#pauseAccepting(),
      resume: () => this.#resumeAccepting(),
    });
    this.#connections = new PeerConnections(deadlines, parts.isFast);
    const schedule = (flush: () => void): void => void setImmediate(flush);
    const later = (check: () => void, ms: number): void => void setTimeout(check, ms).unref();
    this.#zones = new ZonePort({ send: parts.sendZoneMessage, schedule, later });
    this.#limits = new LimitPort({
      send: parts.sendLimitMessage,
      schedule,
      later,
    });
    this.#sessions = new SessionPort({ send: parts.sendSessionMessage, later });
  }

  async prepare(config: WorkerConfig): Promise<PreparedConfig> {
    const { snapshot } = config;
    this.#ticketKeys.take(config.ticketKeys);
    const { main, diagnostics } = readScopes(snapshot.tree, MODULES);
    if (hasEmerg(diagnostics)) throw new ConfigFindings(diagnostics.map(formatDiagnostic));
    const { compiled, diagnostics: found } = compileConfig(main, snapshot, {
      ...this.#parts,
      ...config,
      tls: new TlsFiles(this.#ticketKeys, config.tlsFiles, directoryOf(snapshot.file) || snapshot.prefix),
      connections: this.#connections,
      zones: this.#zones,
      limits: this.#limits,
      sessions: this.#sessions,
      staples: this.#staples,
      previousUpstreams: this.#current?.upstreams ?? null,
    });
    if (compiled === null) throw new ConfigFindings(found.map(formatDiagnostic));
    const core = main.conf(coreModule);
    const isStderr = core.errorLogs.some((one) => one.path === 'stderr');
    return {
      listens: compiled.runtime.listeners.map((listener) => listener.address),
      user: core.user,
      shutdownTimeoutMs: core.shutdownTimeoutMs,
      activate: () => {
        this.#parts.log.use(compiled.errorLog, isStderr);
        const isAlone = core.workerProcesses === 1 || !core.hasMaster;
        this.#zones.setAlone(isAlone);
        this.#zones.expect(config.checks);
        compiled.limits.activate(isAlone);
        this.#gate.limitTo((main.childrenOf(EVENTS)[0] ?? main).conf(coreModule).workerConnections);
        this.#activate(compiled);
      },
    };
  }

  async accept(address: ListenAddress, handle: ListenHandle): Promise<void> {
    const listener = this.#current?.runtime.listeners.find((one) => one.address.text === address.text);
    if (listener === undefined || this.#points.has(address.text)) return;
    const point = new AcceptPoint(listener);
    point.acceptor = new Acceptor(
      {
        onWire: (wire) => {
          this.#server.accept(wire, point.groupsOf(wire), address.path);
          this.#gate.onAccepted();
        },
        isTls: () => point.isTls,
        onSocket: (socket) => this.#acceptTls(point, socket),
        onAcceptError: (errno) => this.#acceptFailed(errno),
      },
      this.#parts.isFast,
    );
    if (this.#parts.isFast && point.isTls) await proveFastTls();
    await point.acceptor.listen(handle, address.backlog);
    this.#points.set(address.text, point);
  }

  setBacklog(address: ListenAddress): void {
    this.#points.get(address.text)?.acceptor?.setBacklog(address.backlog);
  }

  /** A client of an address that is TLS, or shares its socket with one that is. */
  #acceptTls(point: AcceptPoint, socket: Socket): void {
    const { path } = point.address;
    const groups = point.groupsOf(socket);
    if (groups().isTls === true) {
      const named = new TlsGroups(groups);
      const isFast = this.#parts.isFast && fastTlsIsProven();
      const hasPreface = groups().readsProxyProtocol === true;
      const wire = new TlsServerWire(socket, (name) => named.choose(name), hasPreface, isFast);
      this.#server.accept(wire, () => named.current(wire), path, wire);
    } else {
      const wire = new SocketWire(socket);
      this.#server.accept(wire, groups, path);
      readByEvents(socket, wire);
    }
    this.#gate.onAccepted();
  }

  stopAccepting(address: string): void {
    this.#points.get(address)?.acceptor?.close();
    this.#points.delete(address);
  }

  async drain(): Promise<void> {
    await this.#server.drain();
    await untilMirrored();
    this.#connections.closeIdle();
  }

  stop(): void {
    for (const address of [...this.#points.keys()]) this.stopAccepting(address);
    this.#server.destroyAll();
    this.#connections.closeIdle();
  }

  applyName({ name, addresses, checks }: Extract<ToWorker, { type: 'name' }>): void {
    this.#zones.expect(checks);
    this.#connections.closePeers(this.#current?.upstreams.applyName(name, addresses) ?? []);
  }

  onZoneMessage(message: ZonePrimaryMessage): void {
    this.#zones.receive(message);
  }

  onLimitMessage(message: LimitPrimaryMessage): void {
    this.#limits.receive(message);
  }

  onTicketKeys(keys: readonly string[]): void {
    this.#ticketKeys.take(keys);
  }

  onStaple(staple: Staple): void {
    this.#staples.set(staple);
  }

  onSessionMessage(message: SessionPrimaryMessage): void {
    this.#sessions.receive(message);
  }

  upstreamStats(): unknown {
    return reportUpstreams(this.#current?.upstreams.groups() ?? [], nowMs());
  }

  #activate(compiled: CompiledConfig): void {
    this.#current = compiled;
    this.#connections.closePeers(compiled.upstreams.activate());
    const { listeners } = compiled.runtime;
    for (const point of this.#points.values()) {
      const listener = listeners.find((one) => one.address.text === point.address.text);
      if (listener === undefined) point.retire();
      else point.follow(listener);
    }
  }

  #pauseAccepting(): void {
    for (const { address } of [...this.#points.values()]) {
      this.#paused.push(address);
      this.stopAccepting(address.text);
    }
  }

  #resumeAccepting(): void {
    const paused = this.#paused;
    this.#paused = [];
    for (const address of paused) this.#parts.askForSocket?.(listenKey(address));
  }

  /** Once a second at most: with no file descriptors left it would come for every connection that waits. */
  #acceptFailed(errno: number): void {
    const now = nowMs();
    if (now - this.#saidAcceptErrorAtMs < 1000) return;
    this.#saidAcceptErrorAtMs = now;
    this.#parts.log.write('crit', `accept4() failed (${strerror(errno)})`);
  }
}
