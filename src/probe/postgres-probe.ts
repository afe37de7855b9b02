import { setTimeout as sleep } from 'node:timers/promises';
import { openPostgres, type PostgresLogin, type PostgresSession } from './postgres-session.ts';
import { readPostgresState } from './postgres-state.ts';
import { judgePostgres, type PostgresDemand, type PostgresState } from './postgres-verdict.ts';
import { failed, type Probe, type ProbeFacts, type ProbeResult, type ProbeTarget, passed, timedOut } from './probe.ts';
import { socketFailure } from './socket-failure.ts';

export interface PostgresProbeOptions extends PostgresLogin, PostgresDemand {}

/**
 * A replica that was idle seems to lag for the moment in which the first new record is applied, and of one that has just connected nothing is known:
 * they are looked at again.
 */
const LOOK_AGAIN_MS = 200;

/**
 * PostgreSQL 13 or newer: can somebody log in, which role has it, is it well in that role? A primary: takes writes, its slots, its WAL archiving,
 * the replicas that it streams to. A replica: streaming, and how far behind. The user needs `pg_monitor`.
 */
export function postgresProbe(options: PostgresProbeOptions): Probe {
  return { run: (target, signal) => new PostgresLook(options, target, signal).run() };
}

class PostgresLook {
  readonly #options: PostgresProbeOptions;
  readonly #target: ProbeTarget;
  readonly #signal: AbortSignal;
  #doing = 'connecting';

  constructor(options: PostgresProbeOptions, target: ProbeTarget, signal: AbortSignal) {
    this.#options = options;
    this.#target = target;
    this.#signal = signal;
  }

  async run(): Promise<ProbeResult> {
    let session: PostgresSession | null = null;
    let facts: ProbeFacts = {};
    try {
      session = await openPostgres(this.#target, this.#options, this.#signal);
      this.#doing = 'asking for the state';
      let seen = await readPostgresState(session);
      facts = seen.facts;
      let verdict = judgePostgres(seen.state, this.#options);
      if (verdict.reason !== '' && isBehind(seen.state)) {
        await sleep(LOOK_AGAIN_MS, undefined, { signal: this.#signal });
        seen = await readPostgresState(session);
        facts = seen.facts;
        verdict = judgePostgres(seen.state, this.#options);
      }
      if (verdict.reason !== '') return failed(verdict.doing, verdict.reason, facts);
      return passed(verdict.doing, facts);
    } catch (error) {
      if (this.#signal.aborted) return timedOut(this.#doing, facts);
      return failed(this.#doing, this.#why(error), facts);
    } finally {
      session?.close();
    }
  }

  #why(error: unknown): string {
    const text = socketFailure(error);
    // pg's word for an empty password; the server never saw one.
    if (text.startsWith('SASL:') && (this.#options.password ?? '') === '') {
      return `a password is wanted for user "${this.#options.user}" and none was given`;
    }
    return text;
  }
}

function isBehind(state: PostgresState): boolean {
  if (state.role === 'replica') return state.lagBytes !== 0;
  return state.replicas.some((replica) => replica.lagBytes !== 0);
}
