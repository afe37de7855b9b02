import type { VariableDef } from '../variable.ts';

/**
 * Variables of what does not happen here yet: HTTP/3, caching. They have the value that nginx gives them when
 * it doesn't happen there either (none), so that the log formats of a configuration that is there stay good. `tcpinfo_…`, `ssl_curve`: Node does not
 * tell what the kernel knows of a connection.
 * Whoever builds one of these things takes its variables out.
 */
const ABSENT = [
  'http3',
  'ssl_curve',
  'tcpinfo_rcv_space',
  'tcpinfo_rtt',
  'tcpinfo_rttvar',
  'tcpinfo_snd_cwnd',
  'upstream_cache_status',
] as const;

export const ABSENT_VARIABLES: readonly VariableDef[] = ABSENT.map((name) => ({ name, compile: () => () => null }));
