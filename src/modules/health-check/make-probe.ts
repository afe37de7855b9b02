import { UpstreamRequest } from '../../http/upstream-connection.ts';
import type { Template } from '../../http/variable.ts';
import type { Probe } from '../../probe/probe.ts';
import { ANY_SUCCESS, type CheckedResponse, type MatchVerdict, matchResponse } from '../../probe/response-match.ts';
import type { LocationTls } from '../proxy/peer-tls.ts';
import type { RequestFields } from '../proxy/request-fields.ts';
import { type CheckRequest, checkExchange } from './check-exchange.ts';
import type { HealthCheckLine } from './health-check-line.ts';
import type { MatchBlock } from './match-block.ts';

/** A `health_check` with all that its location says of how to ask a peer. */
export interface CheckSettings {
  readonly line: HealthCheckLine;
  /** Null: none. */
  readonly match: MatchBlock | null;
  /** `require` of the match, compiled. */
  readonly requires: readonly Template[];
  readonly request: CheckRequest;
  readonly fields: RequestFields;
  /** Null: in the clear. */
  readonly tls: LocationTls | null;
  readonly localAddress: string | null;
  readonly connectTimeoutMs: number;
  readonly readTimeoutMs: number;
  /** '' = none. */
  readonly password: string;
}

/** The probe of a check. Its library is loaded now, so that processes that check nothing do without. */
export async function makeProbe(settings: CheckSettings): Promise<Probe> {
  switch (settings.line.type) {
    case 'http':
      return makeHttpProbe(settings);
    case 'tcp':
      return makeTcpProbe(settings);
    case 'postgres':
      return makePostgresProbe(settings);
    case 'redis':
      return makeRedisProbe(settings);
  }
}

async function makeHttpProbe(settings: CheckSettings): Promise<Probe> {
  const { httpProbe } = await import('../../probe/http-probe.ts');
  const { line, match, request, fields, tls } = settings;
  const ex = checkExchange(request, null);
  const upstream = new UpstreamRequest();
  fields.build(ex, upstream, 'none');
  const headers: [string, string][] = [];
  for (let i = 0; i + 1 < upstream.added.length; i += 2) {
    headers.push([upstream.added[i] ?? '', upstream.added[i + 1] ?? '']);
  }
  return httpProbe({
    uri: line.uri,
    headers,
    tls: tls === null ? null : tls.for(ex),
    localAddress: settings.localAddress,
    connectTimeoutMs: settings.connectTimeoutMs,
    readTimeoutMs: settings.readTimeoutMs,
    keepaliveMs: line.keepaliveMs,
    readsBody: match !== null && match.bodies.length > 0,
    match: (response) => judge(settings, response),
  });
}

function judge({ match, requires, request }: CheckSettings, response: CheckedResponse): MatchVerdict {
  const verdict = matchResponse(match ?? ANY_SUCCESS, response);
  if (verdict.reason !== '' || requires.length === 0) return verdict;
  const ex = checkExchange(request, response);
  const doing = 'checking required variables';
  for (const [i, template] of requires.entries()) {
    const value = template.evaluate(ex);
    if (value === '' || value === '0') return { doing, reason: `${match?.requires[i]?.text} is "${value}"` };
  }
  return { doing, reason: '' };
}

async function makeTcpProbe(settings: CheckSettings): Promise<Probe> {
  const { tcpProbe } = await import('../../probe/tcp-probe.ts');
  const { match, request, tls } = settings;
  return tcpProbe({
    tls: tls === null ? null : tls.for(checkExchange(request, null)),
    localAddress: settings.localAddress,
    connectTimeoutMs: settings.connectTimeoutMs,
    readTimeoutMs: settings.readTimeoutMs,
    send: match?.send ?? '',
    expect: match?.expect ?? null,
  });
}

async function makePostgresProbe({ line, password }: CheckSettings): Promise<Probe> {
  const [{ postgresProbe }] = await Promise.all([import('../../probe/postgres-probe.ts'), import('pg')]);
  return postgresProbe({
    user: line.user === '' ? 'postgres' : line.user,
    database: line.database === '' ? 'postgres' : line.database,
    ...(password === '' ? {} : { password }),
    role: line.role === 'primary' || line.role === 'replica' ? line.role : 'any',
    maxLagBytes: line.maxLagBytes,
    maxLagMs: line.maxLagMs,
    maxSlotWalBytes: null,
    minReplicas: 0,
  });
}

async function makeRedisProbe({ line, password }: CheckSettings): Promise<Probe> {
  const [{ redisProbe }] = await Promise.all([import('../../probe/redis-probe.ts'), import('ioredis')]);
  return redisProbe({
    ...(line.user === '' ? {} : { username: line.user }),
    ...(password === '' ? {} : { password }),
    role: line.role === 'master' || line.role === 'replica' ? line.role : 'any',
    maxLagBytes: line.maxLagBytes,
    maxLagMs: line.maxLagMs,
    minReplicas: 0,
  });
}
