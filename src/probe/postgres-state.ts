import type { PostgresSession, Row } from './postgres-session.ts';
import type {
  PostgresState,
  PrimaryState,
  ReplicaState,
  ReplicationSlot,
  StreamingReplica,
} from './postgres-verdict.ts';
import type { ProbeFacts } from './probe.ts';

export interface SeenPostgres {
  readonly state: PostgresState;
  readonly facts: ProbeFacts;
}

const SERVER = `
SELECT pg_is_in_recovery() AS is_replica,
       current_setting('transaction_read_only') = 'on' AS is_read_only,
       current_setting('server_version') AS version,
       current_setting('archive_mode') <> 'off' AS is_archiving,
       (SELECT system_identifier::text FROM pg_control_system()) AS system_identifier`;

/** The time line of the WAL that is written now: the control file learns of a promotion only at its next checkpoint. */
const TIMELINE = `SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int AS timeline`;

const REPLICAS = `
SELECT application_name AS name, state,
       pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::float8 AS lag_bytes,
       (extract(epoch FROM coalesce(replay_lag, '0')) * 1000)::float8 AS lag_ms
FROM pg_stat_replication WHERE state IS DISTINCT FROM 'backup' ORDER BY application_name`;

const SLOTS = `
SELECT slot_name AS name, active, temporary, wal_status,
       coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::float8 AS wal_bytes
FROM pg_replication_slots ORDER BY slot_name`;

const ARCHIVER = `
SELECT failed_count::float8 AS failed_count, last_failed_wal,
       coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false) AS is_failing
FROM pg_stat_archiver`;

/** `latest_end_lsn` is the end of the primary's WAL as the primary last told it, which a slow line has not brought yet. */
const RECEIVER = `
SELECT status, sender_host, sender_port, received_tli AS timeline,
       pg_wal_lsn_diff(greatest(latest_end_lsn, pg_last_wal_receive_lsn()), pg_last_wal_replay_lsn())::float8 AS lag_bytes
FROM pg_stat_wal_receiver`;

const REPLAY = `
SELECT coalesce(pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), 0)::float8 AS received_bytes,
       (extract(epoch FROM now() - pg_last_xact_replay_timestamp()) * 1000)::float8 AS replayed_ago_ms,
       pg_is_wal_replay_paused() AS is_paused`;

/** Asks a server what it is and how it is. */
export async function readPostgresState(session: PostgresSession): Promise<SeenPostgres> {
  const server = (await session.row(SERVER)) ?? {};
  const common = { version: text(server['version']), system_identifier: text(server['system_identifier']) };
  return server['is_replica'] === true ? readReplica(session, common) : readPrimary(session, server, common);
}

async function readPrimary(session: PostgresSession, server: Row, common: ProbeFacts): Promise<SeenPostgres> {
  const timeline = number((await session.row(TIMELINE))?.['timeline']);
  const replicas: StreamingReplica[] = (await session.rows(REPLICAS)).map((row) => ({
    name: text(row['name']) ?? '',
    state: text(row['state']),
    lagBytes: number(row['lag_bytes']),
    lagMs: number(row['lag_ms']),
  }));
  const slots: ReplicationSlot[] = (await session.rows(SLOTS)).map((row) => ({
    name: text(row['name']) ?? '',
    isActive: row['active'] === true,
    isTemporary: row['temporary'] === true,
    walStatus: text(row['wal_status']),
    walBytes: Math.max(0, number(row['wal_bytes']) ?? 0),
  }));
  const archiver = (await session.row(ARCHIVER)) ?? {};
  const state: PrimaryState = {
    role: 'primary',
    isReadOnly: server['is_read_only'] !== false,
    replicas,
    slots,
    archiving: {
      isOn: server['is_archiving'] === true,
      isFailing: archiver['is_failing'] === true,
      lastFailedWal: text(archiver['last_failed_wal']),
      failedCount: number(archiver['failed_count']) ?? 0,
    },
  };
  const streaming = replicas.filter((replica) => replica.state === 'streaming');
  const facts: ProbeFacts = {
    role: state.role,
    ...common,
    timeline,
    is_read_only: state.isReadOnly,
    replicas: streaming.length,
    lag_bytes: largest(streaming.map((replica) => replica.lagBytes)),
    lag_seconds: seconds(largest(streaming.map((replica) => replica.lagMs))),
    slots: slots.length,
    slots_inactive: slots.filter((slot) => !slot.isActive && !slot.isTemporary).length,
    slot_wal_bytes: largest(slots.map((slot) => slot.walBytes)) ?? 0,
    is_archiving: state.archiving.isOn,
    is_archiving_failing: state.archiving.isOn && state.archiving.isFailing,
  };
  return { state, facts };
}

async function readReplica(session: PostgresSession, common: ProbeFacts): Promise<SeenPostgres> {
  const receiver = await session.row(RECEIVER);
  const replay = (await session.row(REPLAY)) ?? {};
  const received = number(replay['received_bytes']);
  const lagBytes = receiver === undefined ? received : number(receiver['lag_bytes']);
  const state: ReplicaState = {
    role: 'replica',
    receiver: receiver === undefined ? 'none' : text(receiver['status']),
    lagBytes: lagBytes === null ? null : Math.max(0, lagBytes),
    lagMs: lagBytes === 0 ? 0 : number(replay['replayed_ago_ms']),
    isReplayPaused: replay['is_paused'] === true,
  };
  const host = text(receiver?.['sender_host']);
  const facts: ProbeFacts = {
    role: state.role,
    ...common,
    timeline: number(receiver?.['timeline']),
    is_streaming: state.receiver === 'streaming',
    follows: host === null ? null : `${host}:${number(receiver?.['sender_port'])}`,
    lag_bytes: state.lagBytes,
    lag_seconds: seconds(state.lagMs),
    is_replay_paused: state.isReplayPaused,
  };
  return { state, facts };
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function number(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

function seconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
}

/** Null when nothing is known. */
function largest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}
