import { failed, type Probe, type ProbeFacts, type ProbeResult, type ProbeTarget, passed, timedOut } from './probe.ts';
import { logIn } from './redis-login.ts';
import { infoFields, openRedis, type RedisSession } from './redis-session.ts';
import {
  type ConnectedReplica,
  judgeRedis,
  type RedisDemand,
  type RedisMasterState,
  type RedisReplicaState,
  type RedisState,
} from './redis-verdict.ts';
import { socketFailure } from './socket-failure.ts';

export interface RedisProbeOptions extends RedisDemand {
  /** For servers with ACLs. Default: none. */
  readonly username?: string;
  /** Default: none. */
  readonly password?: string;
}

/** The key that is never made: see `writeRefusal`. */
const NO_KEY = 'evenkeel:probe';

/**
 * Redis: does it answer PING behind AUTH, which role has it (ROLE), is it well in that role? A master: takes writes, how far its replicas are behind.
 * A replica: `master_link_status`, and when it last heard from its master.
 */
export function redisProbe(options: RedisProbeOptions): Probe {
  return { run: (target, signal) => look(options, target, signal) };
}

async function look(options: RedisProbeOptions, target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
  let session: RedisSession | null = null;
  let doing = 'connecting';
  try {
    session = await openRedis(target, signal);
    if (options.password !== undefined && options.password !== '') {
      doing = 'logging in';
      await logIn(session, options.username, options.password);
    }
    doing = 'waiting for PONG';
    await session.ask('PING');
    doing = 'asking for the state';
    const { state, facts } = await readState(session);
    const verdict = judgeRedis(state, options);
    return verdict.reason === '' ? passed(verdict.doing, facts) : failed(verdict.doing, verdict.reason, facts);
  } catch (error) {
    return signal.aborted ? timedOut(doing) : failed(doing, socketFailure(error));
  } finally {
    session?.close();
  }
}

interface SeenRedis {
  readonly state: RedisState;
  readonly facts: ProbeFacts;
}

async function readState(session: RedisSession): Promise<SeenRedis> {
  const role = await session.ask('ROLE');
  const word = Array.isArray(role) ? String(role[0]) : '';
  const info = new Map([
    ...infoFields(await session.ask('INFO', 'server')),
    ...infoFields(await session.ask('INFO', 'replication')),
  ]);
  const facts = {
    address: session.address,
    version: info.get('redis_version') ?? null,
    run_id: info.get('run_id') ?? null,
    replication_id: info.get('master_replid') ?? null,
  };
  switch (word) {
    case 'master':
      return masterState(info, await writeRefusal(session), facts);
    case 'slave':
      return replicaState(info, facts);
    case 'sentinel':
      throw new Error('it is a Sentinel, not a Redis server');
    default:
      throw new Error(`unknown role "${word}"`);
  }
}

function masterState(info: ReadonlyMap<string, string>, refusal: string, common: ProbeFacts): SeenRedis {
  const offset = Number(info.get('master_repl_offset') ?? 0);
  const replicas: ConnectedReplica[] = [...info.keys()]
    .filter((key) => /^slave[0-9]+$/.test(key))
    .map((key) => connectedReplica(info.get(key) ?? '', offset));
  const state: RedisMasterState = { role: 'master', writeRefusal: refusal, replicas };
  const online = replicas.filter((replica) => replica.isOnline);
  const facts: ProbeFacts = {
    role: state.role,
    ...common,
    is_read_only: refusal !== '',
    replicas: online.length,
    offset,
    lag_bytes: online.length === 0 ? null : Math.max(...online.map((replica) => replica.lagBytes)),
    lag_seconds: online.length === 0 ? null : Math.max(...online.map((replica) => replica.silenceMs)) / 1000,
  };
  return { state, facts };
}

/** `ip=127.0.0.1,port=6380,state=online,offset=42,lag=1`. */
function connectedReplica(text: string, masterOffset: number): ConnectedReplica {
  const fields = new Map(
    text.split(',').map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
  return {
    address: `${fields.get('ip')}:${fields.get('port')}`,
    isOnline: fields.get('state') === 'online',
    lagBytes: Math.max(0, masterOffset - Number(fields.get('offset') ?? 0)),
    silenceMs: 1000 * Math.max(0, Number(fields.get('lag') ?? 0)),
  };
}

function replicaState(info: ReadonlyMap<string, string>, common: ProbeFacts): SeenRedis {
  const seconds = (name: string): number | null => {
    const value = Number(info.get(name) ?? -1);
    return value >= 0 ? 1000 * value : null;
  };
  const state: RedisReplicaState = {
    role: 'replica',
    follows: `${info.get('master_host')}:${info.get('master_port')}`,
    isLinkUp: info.get('master_link_status') === 'up',
    isSyncing: info.get('master_sync_in_progress') === '1',
    downMs: seconds('master_link_down_since_seconds'),
    silenceMs: seconds('master_last_io_seconds_ago'),
  };
  const facts: ProbeFacts = {
    role: state.role,
    ...common,
    follows: state.follows,
    is_link_up: state.isLinkUp,
    offset: Number(info.get('slave_repl_offset') ?? 0),
    lag_seconds: state.silenceMs === null ? null : state.silenceMs / 1000,
  };
  return { state, facts };
}

/**
 * Why a master refuses writes, '' when it doesn't. Asked by a write that changes nothing: SETRANGE with no bytes makes no key and is not
 * replicated, but it meets every refusal that a write meets: READONLY, NOREPLICAS, MISCONF (a save or the append-only file failed), OOM.
 */
async function writeRefusal(session: RedisSession): Promise<string> {
  try {
    await session.ask('SETRANGE', NO_KEY, '0', '');
    return '';
  } catch (error) {
    const text = error instanceof Error ? error.message : '';
    // A reply that begins with its kind in capitals is the server's; anything else is a broken connection.
    if (/^[A-Z]+ /.test(text)) return text;
    throw error;
  }
}
