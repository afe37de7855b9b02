import { failed, type Probe, type ProbeFacts, type ProbeResult, type ProbeTarget, passed, timedOut } from './probe.ts';
import { logIn } from './redis-login.ts';
import { openRedis, pairFields, type RedisSession } from './redis-session.ts';
import { socketFailure } from './socket-failure.ts';

export interface SentinelProbeOptions {
  /** The name under which the Sentinels watch the master. */
  readonly masterName: string;
  /** Used where a Sentinel asks for one. Default: none. */
  readonly password?: string;
  /** Sentinels that there must be, this one among them. 0: any number. */
  readonly minSentinels: number;
}

/** Words in a master's flags that mean that all is not well. */
const TROUBLE: Readonly<Record<string, string>> = {
  s_down: 'it takes the master to be down',
  o_down: 'the Sentinels take the master to be down',
  failover_in_progress: 'a failover is under way',
  disconnected: 'it has no connection to the master',
};

/** One Sentinel: does it know the master, is the quorum reachable (SENTINEL CKQUORUM), is no failover under way? Whether several agree: `sentinel-agreement.ts`. */
export function sentinelProbe(options: SentinelProbeOptions): Probe {
  return { run: (target, signal) => look(options, target, signal) };
}

async function look(options: SentinelProbeOptions, target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
  let session: RedisSession | null = null;
  let facts: ProbeFacts = {};
  let doing = 'connecting';
  try {
    session = await openRedis(target, signal);
    doing = 'waiting for PONG';
    await ping(session, options.password);
    doing = 'asking for the master';
    const fields = pairFields(await session.ask('SENTINEL', 'MASTER', options.masterName));
    // During a failover this is already the new one; the field `ip` above is still the old one.
    const address = await session.ask('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', options.masterName);
    facts = sentinelFacts(fields, address);
    const quorum = await quorumTrouble(session, options.masterName);
    if (quorum !== '') return failed('checking quorum', quorum, facts);
    const trouble = masterTrouble(fields) || countTrouble(Number(facts['sentinels'] ?? 0), options.minSentinels);
    return trouble === '' ? passed('checking quorum', facts) : failed('checking the master', trouble, facts);
  } catch (error) {
    return signal.aborted ? timedOut(doing, facts) : failed(doing, socketFailure(error), facts);
  } finally {
    session?.close();
  }
}

/** Many Sentinels have no password though their Redis has: it is given where it is asked for. */
async function ping(session: RedisSession, password: string | undefined): Promise<void> {
  try {
    await session.ask('PING');
  } catch (error) {
    const asksForOne = error instanceof Error && error.message.startsWith('NOAUTH');
    if (!asksForOne || password === undefined || password === '') throw error;
    await logIn(session, undefined, password);
    await session.ask('PING');
  }
}

function sentinelFacts(fields: ReadonlyMap<string, string>, address: unknown): ProbeFacts {
  const [host, port] = Array.isArray(address) ? address.map(String) : [];
  return {
    master: host === undefined || port === undefined ? null : `${host}:${port}`,
    master_run_id: fields.get('runid') || null,
    flags: fields.get('flags') ?? '',
    sentinels: Number(fields.get('num-other-sentinels') ?? 0) + 1,
    replicas: Number(fields.get('num-slaves') ?? 0),
    quorum: Number(fields.get('quorum') ?? 0),
  };
}

/** CKQUORUM: can this many Sentinels be reached that a failover can be authorised? '' when they can. */
async function quorumTrouble(session: RedisSession, masterName: string): Promise<string> {
  try {
    await session.ask('SENTINEL', 'CKQUORUM', masterName);
    return '';
  } catch (error) {
    const text = error instanceof Error ? error.message : '';
    if (text.startsWith('NOQUORUM')) return `no quorum: ${text.replace(/^NOQUORUM /, '')}`;
    throw error;
  }
}

function masterTrouble(fields: ReadonlyMap<string, string>): string {
  const flags = (fields.get('flags') ?? '').split(',');
  if (!flags.includes('master')) return `what it watches is no master but ${flags.join(', ')}`;
  const words = flags.filter((flag) => flag in TROUBLE).map((flag) => TROUBLE[flag]);
  return words.join(', ');
}

function countTrouble(known: number, min: number): string {
  return known >= min ? '' : `it knows of ${known} Sentinels, ${min} expected`;
}
