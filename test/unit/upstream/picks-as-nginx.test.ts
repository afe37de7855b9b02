import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type AttemptReport, decideRetry, RETRY_CONDITIONS, type RetryRule } from '../../../src/policy/retry.ts';
import type { UpstreamGroup } from '../../../src/upstream/upstream-group.ts';
import { fakeExchange } from './fake-exchange.ts';
import { groupOf } from './read-upstreams.ts';

/** Recorded from nginx 1.22.1: servers 127.0.0.1:18081 and up, `proxy_next_upstream error timeout http_500 http_404`. */
interface PickCase {
  readonly name: string;
  readonly method: readonly string[];
  readonly servers: readonly string[];
  readonly requests: readonly PickRequest[];
}

interface PickRequest {
  readonly key?: string;
  readonly ip?: string;
  /** Servers that answer 500, and 404, to this request. */
  readonly fail?: readonly number[];
  readonly gone?: readonly number[];
  /** Servers tried, in order; -1 = no live upstreams. */
  readonly tried: readonly number[];
}

const FIRST_PORT = 18_081;
const RULE: RetryRule = {
  conditions: RETRY_CONDITIONS.error | RETRY_CONDITIONS.timeout | RETRY_CONDITIONS.http_500 | RETRY_CONDITIONS.http_404,
  maxTries: 0,
  timeoutMs: 0,
};
const cases = JSON.parse(readFileSync(new URL('nginx-picks.json', import.meta.url), 'utf8')) as PickCase[];

function makeGroup(one: PickCase): UpstreamGroup {
  const servers = one.servers.map((parameters, i) => `server 127.0.0.1:${FIRST_PORT + i} ${parameters};`);
  const method = one.method.length === 0 ? '' : `${one.method.join(' ')};`;
  return groupOf(`${method} ${servers.join(' ')}`);
}

/** The attempt loop in small: what servers does one request see? */
function triedBy(group: UpstreamGroup, request: PickRequest, nowMs: number): number[] {
  const session = group.newSession(fakeExchange(request.ip, request.key));
  const tried: number[] = [];
  for (;;) {
    const peer = group.pick(session, nowMs);
    if (peer === null) return [...tried, -1];
    const server = peer.address?.kind === 'tcp' ? peer.address.port - FIRST_PORT : -2;
    tried.push(server);
    const status = request.fail?.includes(server) ? 500 : request.gone?.includes(server) ? 404 : 200;
    const report: AttemptReport = {
      end: 'status',
      status,
      isRequestSent: true,
      isNonIdempotent: false,
      isBodyGone: false,
      isHeadSent: false,
      isReused: false,
      isResponseBegun: true,
      tries: session.tries,
      elapsedMs: 0,
    };
    const verdict = decideRetry(RULE, report);
    group.release(session, peer, verdict.outcome, nowMs);
    if (verdict.next === 'give-up') return tried;
  }
}

describe('the same peers as nginx', () => {
  test.each(cases.map((one) => [one.name, one] as const))('%s', (_name, one) => {
    const group = makeGroup(one);
    const seen = one.requests.map((request, i) => triedBy(group, request, 1000 + i));
    expect(seen).toEqual(one.requests.map((request) => request.tried));
    expect([...group.peers, ...group.backups].map((peer) => peer.active)).toEqual(one.servers.map(() => 0));
  });
});
