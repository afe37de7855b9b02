import type { VariableDef } from '../variable.ts';

/**
 * Variables of what does not happen here yet: HTTP/3, caching. They have the value that nginx gives them when
 * it doesn't happen there either (none), so that the log formats of a configuration that is there stay good. `tcpinfo_…`: Node does not
 * tell what the kernel knows of a connection; `ssl_curve`, `ssl_sigalg` and kin: nor what OpenSSL has agreed upon there; `ssl_ech_…`: its OpenSSL has no ECH.
 * Whoever builds one of these things takes its variables out.
 */
const ABSENT = [
  'http3',
  'ssl_client_sigalg',
  'ssl_curve',
  'ssl_ech_outer_server_name',
  'ssl_ech_status',
  'ssl_sigalg',
  'tcpinfo_rcv_space',
  'tcpinfo_rtt',
  'tcpinfo_rttvar',
  'tcpinfo_snd_cwnd',
  'upstream_cache_status',
] as const;

export const ABSENT_VARIABLES: readonly VariableDef[] = ABSENT.map((name) => ({ name, compile: () => () => null }));
