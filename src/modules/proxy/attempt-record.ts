import type { UpstreamAttempt } from '../../http/exchange.ts';
import type { UpstreamConnection } from '../../http/upstream-connection.ts';
import type { PeerStats } from '../../upstream/peer-stats.ts';

/** Writes down what an attempt has come to: `$upstream_response_time` and the bytes. */
export function recordAttempt(attempt: UpstreamAttempt, connection: UpstreamConnection | null, nowMs: number): void {
  attempt.responseMs = nowMs - attempt.startedAtMs;
  if (connection === null) return;
  attempt.bytesReceived = connection.bytesReceived;
  attempt.bytesSent = connection.bytesSent;
}

/** Adds an attempt that is over to its peer's counters. */
export function countAttempt(attempt: UpstreamAttempt, stats: PeerStats): void {
  if (attempt.headerMs >= 0) {
    const statusClass = Math.floor(attempt.status / 100);
    if (statusClass >= 1 && statusClass <= 5) stats.responses[statusClass as 1 | 2 | 3 | 4 | 5]++;
    stats.headerTimeSumMs += attempt.headerMs;
    stats.responseTimeSumMs += attempt.responseMs;
  }
  stats.bytesSent += attempt.bytesSent;
  stats.bytesReceived += attempt.bytesReceived;
}
