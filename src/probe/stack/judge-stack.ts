import { sizeText } from '../size-text.ts';
import { blamed, type CheckKind, type CheckOutcome } from './stack-check.ts';

export interface StackDemand {
  /** Longest lag of a Redis replica behind the master that was looked at in the same round. Null: does not judge. */
  readonly maxLagBytes: number | null;
  /** The name under which the Sentinels know the master. */
  readonly masterName: string;
}

/** What a label without a port stands for. */
const REDIS_PORT = 6379;

interface Family {
  readonly kinds: readonly CheckKind[];
  /** The kind whose role is to be found. */
  readonly anyKind: CheckKind;
  /** The kind that stands for "there is none that leads". */
  readonly leaderKind: CheckKind;
  readonly leader: string;
  /** The fact that is the same in all servers of one set. */
  readonly setFact: string;
}

const POSTGRES: Family = {
  kinds: ['postgres', 'postgres_primary', 'postgres_replica'],
  anyKind: 'postgres',
  leaderKind: 'postgres_primary',
  leader: 'primary',
  setFact: 'system_identifier',
};

const REDIS: Family = {
  kinds: ['redis', 'redis_master', 'redis_replica'],
  anyKind: 'redis',
  leaderKind: 'redis_master',
  leader: 'master',
  setFact: 'replication_id',
};

/**
 * What no single look can tell: that there is exactly one primary, that replicas follow it, that the Sentinels agree on the master that is there.
 * Turns outcomes bad, and adds one for the Sentinels together and one for a leader that nobody is.
 */
export function judgeStack(outcomes: readonly CheckOutcome[], demand: StackDemand): CheckOutcome[] {
  const judged = judgeFamily(judgeFamily(outcomes, POSTGRES, postgresTrouble), REDIS, redisTrouble(demand));
  return addSentinels(judged, demand);
}

/** Why a replica is not one of this leader; '' when it is. */
type FollowTrouble = (replica: CheckOutcome, leader: CheckOutcome) => string;

function judgeFamily(outcomes: readonly CheckOutcome[], family: Family, trouble: FollowTrouble): CheckOutcome[] {
  const servers = outcomes.filter((outcome) => family.kinds.includes(outcome.kind));
  const leaders = servers.filter((server) => server.facts['role'] === family.leader);
  const wantsOne = servers.some((server) => server.kind === family.anyKind);
  const [leader] = leaders;
  const isSplit = leaders.length > 1 && (wantsOne || haveSame(leaders, family.setFact));
  const judged = outcomes.map((outcome) => {
    if (!servers.includes(outcome) || leader === undefined) return outcome;
    if (isSplit && leaders.includes(outcome)) {
      return blamed(outcome, 'checking role', `${leaders.length} servers are ${family.leader}: ${labelsOf(leaders)}`);
    }
    if (leaders.length > 1 || outcome.facts['role'] !== 'replica') return outcome;
    const reason = trouble(outcome, leader);
    return reason === '' ? withLag(outcome, leader) : blamed(outcome, `checking its ${family.leader}`, reason);
  });
  if (leader !== undefined || !wantsOne) return judged;
  const none: CheckOutcome = {
    kind: family.leaderKind,
    label: labelsOf(servers),
    isHealthy: false,
    doing: 'checking role',
    reason: `none of them is seen to be ${family.leader}`,
    facts: {},
    durationMs: Math.max(...servers.map(({ durationMs }) => durationMs)),
  };
  return [...judged, none];
}

function haveSame(outcomes: readonly CheckOutcome[], fact: string): boolean {
  const values = outcomes.map(({ facts }) => facts[fact]);
  return typeof values[0] === 'string' && values.every((value) => value === values[0]);
}

function postgresTrouble({ facts }: CheckOutcome, { facts: primary, label }: CheckOutcome): string {
  if (facts['system_identifier'] !== primary['system_identifier'])
    return `it is a replica of another cluster, not of ${label}`;
  const [own, its] = [facts['timeline'], primary['timeline']];
  if (typeof own === 'number' && typeof its === 'number' && own !== its) {
    return `it follows time line ${own}, the primary ${label} is on ${its}`;
  }
  return '';
}

function redisTrouble({ maxLagBytes }: StackDemand): FollowTrouble {
  return (replica, master) => {
    if (replica.facts['replication_id'] !== master.facts['replication_id']) {
      return `it follows ${replica.facts['follows']}, not the master ${master.label}`;
    }
    const lagBytes = redisLagBytes(replica, master);
    if (maxLagBytes === null || lagBytes === null || lagBytes <= maxLagBytes) return '';
    return `lags ${sizeText(lagBytes)}, at most ${sizeText(maxLagBytes)} allowed`;
  };
}

/** Both told their place in the same stream. The two looks are some milliseconds apart. */
function redisLagBytes({ facts }: CheckOutcome, master: CheckOutcome): number | null {
  const [own, its] = [facts['offset'], master.facts['offset']];
  return typeof own === 'number' && typeof its === 'number' ? Math.max(0, its - own) : null;
}

/** A Redis replica does not know how far behind it is. */
function withLag(outcome: CheckOutcome, leader: CheckOutcome): CheckOutcome {
  if (!REDIS.kinds.includes(outcome.kind) || outcome.facts['role'] !== 'replica') return outcome;
  return { ...outcome, facts: { ...outcome.facts, lag_bytes: redisLagBytes(outcome, leader) } };
}

function addSentinels(outcomes: readonly CheckOutcome[], { masterName }: StackDemand): CheckOutcome[] {
  const sentinels = outcomes.filter(({ kind }) => kind === 'sentinel');
  const [first] = sentinels;
  if (first === undefined) return [...outcomes];
  const reason = sentinelTrouble(sentinels, outcomes);
  const together: CheckOutcome = {
    kind: 'sentinels',
    label: masterName,
    isHealthy: reason === '',
    doing: 'checking that the Sentinels agree',
    reason,
    facts: {
      master: sameOrNull(sentinels.map(({ facts }) => facts['master'])),
      sentinels: sentinels.length,
      sentinels_healthy: sentinels.filter(({ isHealthy }) => isHealthy).length,
      quorum: typeof first.facts['quorum'] === 'number' ? first.facts['quorum'] : null,
    },
    durationMs: Math.max(...sentinels.map(({ durationMs }) => durationMs)),
  };
  return [...outcomes, together];
}

function sentinelTrouble(sentinels: readonly CheckOutcome[], outcomes: readonly CheckOutcome[]): string {
  const said = sentinels.filter(({ facts }) => typeof facts['master'] === 'string');
  const bad = sentinels.filter(({ isHealthy }) => !isHealthy);
  if (sameOrNull(said.map(({ facts }) => facts['master'])) === null && said.length > 0) {
    const words = said.map(({ label, facts }) => `${label} says ${facts['master']}`);
    return `they disagree on the master: ${words.join(', ')}`;
  }
  if (bad.length > 0) {
    const reasons = [...new Set(bad.map(({ reason }) => reason))];
    return reasons.map((reason) => `${labelsOf(bad.filter((one) => one.reason === reason))}: ${reason}`).join('; ');
  }
  const masters = outcomes.filter(({ kind, facts }) => REDIS.kinds.includes(kind) && facts['role'] === 'master');
  if (masters.length === 0 || masters.some((master) => said.every((sentinel) => means(sentinel, master)))) return '';
  return `they say that the master is ${said[0]?.facts['master']}, but it is ${labelsOf(masters)}`;
}

/** By its run id; its address where the Sentinel has not learned that yet, or the master has been started anew. */
function means({ facts }: CheckOutcome, { label, facts: master }: CheckOutcome): boolean {
  if (facts['master_run_id'] !== null && facts['master_run_id'] === master['run_id']) return true;
  return [label, `${label}:${REDIS_PORT}`, master['address']].includes(String(facts['master']));
}

function labelsOf(outcomes: readonly CheckOutcome[]): string {
  return outcomes.map(({ label }) => label).join(', ');
}

function sameOrNull(values: readonly unknown[]): string | null {
  const [first] = values;
  return typeof first === 'string' && values.every((value) => value === first) ? first : null;
}
