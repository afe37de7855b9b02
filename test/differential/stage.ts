import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exchange, RawClient } from '../support/raw-client.ts';
import type { ScriptedBackend } from '../support/scripted-backend.ts';
import type { RunningProxy } from '../support/start-proxy.ts';
import {
  type ClientStep,
  type Connection,
  HALF_CLOSE,
  HANG_UP,
  head,
  RESET_CONNECTION,
  STAY,
} from './client-script.ts';
import { fill, type Values } from './placeholders.ts';
import type { Observation } from './transcript.ts';

/** How long a client waits for something before it is shown as `open`. */
const PATIENCE_MS = 2500;
const STAY_MS = 40;

/** One running proxy with what a case needs to play on it. `values` are this side's ports and paths. */
export class Stage {
  readonly proxy: RunningProxy;
  readonly values: Values;
  readonly backends: ReadonlyMap<string, ScriptedBackend>;
  #clients: RawClient[] = [];
  #notes: string[] = [];
  #logOffsets = new Map<string, number>();

  constructor(proxy: RunningProxy, values: Values, backends: ReadonlyMap<string, ScriptedBackend>) {
    this.proxy = proxy;
    this.values = values;
    this.backends = backends;
  }

  /** Puts a line of the case's own into the transcript. */
  note(line: string): void {
    this.#notes.push(line);
  }

  fill(text: string): string {
    return fill(text, this.values);
  }

  async connect(where: Omit<Connection, 'steps'> = {}): Promise<RawClient> {
    const port = Number(this.values[where.port ?? 'PORT']);
    const client = await RawClient.connect({
      ...(where.path === undefined ? { port, host: where.address ?? '127.0.0.1' } : { path: this.fill(where.path) }),
      ...(where.from === undefined ? {} : { localAddress: where.from }),
      ...(where.tls === undefined ? {} : { tls: where.tls }),
    });
    this.#clients.push(client);
    return client;
  }

  /** Plays a connection to its end. */
  async play(connection: Connection): Promise<RawClient> {
    const client = await this.connect(connection);
    for (const step of connection.steps) await this.#step(client, step);
    if (!connection.steps.some((step) => step === STAY || step === HANG_UP || step === RESET_CONNECTION)) {
      await client.untilClosed(PATIENCE_MS);
    }
    client.close();
    return client;
  }

  async #step(client: RawClient, step: ClientStep): Promise<void> {
    if (typeof step === 'string') client.send(this.fill(step));
    else if (typeof step === 'number') await sleep(step);
    else if (step === HALF_CLOSE) client.halfClose();
    else if (step === HANG_UP) client.leave();
    else if (step === RESET_CONNECTION) client.reset();
    else if (step === STAY) await client.untilClosed(STAY_MS);
    else if ('responses' in step) await client.untilResponses(step.responses, PATIENCE_MS);
    else await client.untilReceived(step.received, PATIENCE_MS);
  }

  /** Before a case: forget everything and mark the ends of the logs. */
  begin(): void {
    this.#clients = [];
    this.#notes = [];
    for (const backend of this.backends.values()) backend.forget();
    this.#logOffsets = new Map(this.#logFiles().map((file) => [file, this.proxy.read(file).length]));
  }

  /**
   * After a case. The proxy's event loop is passed through once by a request to the marker server, so that what it had to log is logged.
   * With `like`, waits up to 1 s until as much was seen as there.
   */
  async end(settleMs: number, like?: Observation): Promise<Observation> {
    if (settleMs > 0) await sleep(settleMs);
    await this.#mark();
    const until = performance.now() + (like === undefined ? 0 : 1000);
    for (;;) {
      const seen = this.#look();
      if (like === undefined || amountOf(seen) >= amountOf(like) || performance.now() > until) return seen;
      await sleep(5);
    }
  }

  async #mark(): Promise<void> {
    if (this.proxy.hasExited) throw new Error(`${this.proxy.program.name} has ended:\n${this.proxy.errorLog()}`);
    const port = Number(this.values['MARKER']);
    if (port > 0) await exchange({ port }, head('GET / HTTP/1.1', 'Host: marker', 'Connection: close'));
  }

  #look(): Observation {
    const logs = this.#logFiles().map((file) => [file, this.#newLines(file)] as const);
    const backends = [...this.backends].map(([name, backend]) => [name, [...backend.requests]] as const);
    return { clients: [...this.#clients], backends: new Map(backends), logs: new Map(logs), notes: [...this.#notes] };
  }

  #logFiles(): string[] {
    const { prefix } = this.proxy;
    return existsSync(prefix) ? readdirSync(prefix).filter((file) => file.endsWith('.log')) : [];
  }

  #newLines(file: string): string[] {
    const text = readFileSync(join(this.proxy.prefix, file), 'latin1').slice(this.#logOffsets.get(file) ?? 0);
    return text.split('\n').filter((line) => line !== '');
  }
}

function amountOf(seen: Observation): number {
  const lines = [...seen.logs.values()].reduce((sum, all) => sum + all.length, 0);
  const requests = [...seen.backends.values()].flat();
  return lines + requests.length + requests.filter((request) => request.wasAborted).length;
}
