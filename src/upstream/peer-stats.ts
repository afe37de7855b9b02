/** A peer's counters, plain JSON; only ever grow. Bytes are those of requests and responses on the wire. */
export interface PeerStats {
  /** Attempts made. */
  requests: number;
  /** Answers by class, index 1..5 (1xx..5xx); index 0 is unused. */
  readonly responses: [number, number, number, number, number, number];
  bytesSent: number;
  bytesReceived: number;
  /** Attempts that count as failed. */
  fails: number;
  /** Times it was put out of service. */
  unavailable: number;
  /** Wall-clock ms of the last failure; 0 = none. */
  lastFailureAtMs: number;
  /** The last failure in words; ''. */
  lastFailure: string;
  /** Sums over answers, in ms; divide by the number of answers. */
  headerTimeSumMs: number;
  responseTimeSumMs: number;
}

export function emptyPeerStats(): PeerStats {
  return {
    requests: 0,
    responses: [0, 0, 0, 0, 0, 0],
    bytesSent: 0,
    bytesReceived: 0,
    fails: 0,
    unavailable: 0,
    lastFailureAtMs: 0,
    lastFailure: '',
    headerTimeSumMs: 0,
    responseTimeSumMs: 0,
  };
}
