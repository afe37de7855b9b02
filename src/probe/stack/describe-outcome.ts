import type { ProbeFacts } from '../probe.ts';
import { sizeText, spanText } from '../size-text.ts';
import type { CheckKind, CheckOutcome } from './stack-check.ts';

const NAMES: Readonly<Record<CheckKind, string>> = {
  balancer: 'Nginx load balancer',
  api: 'Backend API',
  backend: 'Backend',
  postgres: 'PostgreSQL server',
  postgres_primary: 'PostgreSQL primary',
  postgres_replica: 'PostgreSQL replica',
  redis: 'Redis server',
  redis_master: 'Redis master',
  redis_replica: 'Redis replica',
  sentinel: 'Sentinel',
  sentinels: 'Redis Sentinel',
};

/** What people call it. A server whose role was to be found is called by the role that it has. */
export function outcomeName({ kind, facts }: CheckOutcome): string {
  const role = typeof facts['role'] === 'string' ? facts['role'] : '';
  if (role !== '' && kind === 'postgres') return `PostgreSQL ${role}`;
  if (role !== '' && kind === 'redis') return `Redis ${role}`;
  return NAMES[kind];
}

/** Why it is not well; else what there is to know of it. */
export function outcomeDetail({ isHealthy, reason, kind, facts, durationMs }: CheckOutcome): string {
  if (!isHealthy) return reason;
  return [...wordsOf(kind, facts), spanText(durationMs)].join(', ');
}

function wordsOf(kind: CheckKind, facts: ProbeFacts): string[] {
  switch (kind) {
    case 'balancer':
    case 'api':
    case 'backend':
      return answerWords(facts);
    case 'sentinel':
    case 'sentinels':
      return [`master ${facts['master']}`, counted(facts['sentinels'], 'Sentinel'), `quorum ${facts['quorum']}`];
    default:
      return facts['role'] === 'replica' ? replicaWords(facts) : leaderWords(facts);
  }
}

function answerWords(facts: ProbeFacts): string[] {
  const words: string[] = [];
  if (typeof facts['status'] === 'number') words.push(`status ${facts['status']}`);
  if (typeof facts['tls'] === 'string')
    words.push(`${facts['tls']}, certificate for ${facts['certificate_days']} days`);
  if (words.length === 0) words.push('accepts connections');
  return words;
}

function leaderWords(facts: ProbeFacts): string[] {
  const words = [counted(facts['replicas'], 'replica')];
  if (typeof facts['lag_bytes'] === 'number') words.push(`lag ${sizeText(facts['lag_bytes'])}`);
  if (typeof facts['slots'] === 'number' && facts['slots'] > 0) {
    words.push(`${counted(facts['slots'], 'slot')} with ${sizeText(Number(facts['slot_wal_bytes'] ?? 0))} of WAL`);
  }
  if (facts['is_archiving'] === true) words.push('WAL archiving works');
  return words;
}

function replicaWords(facts: ProbeFacts): string[] {
  const lag = typeof facts['lag_bytes'] === 'number' ? [`lag ${sizeText(facts['lag_bytes'])}`] : [];
  return [`follows ${facts['follows']}`, ...lag];
}

function counted(value: unknown, noun: string): string {
  return `${value} ${noun}${value === 1 ? '' : 's'}`;
}
