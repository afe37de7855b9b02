import type { VariableDef } from '../variable.ts';

/**
 * Variables of what does not happen here yet: TLS, HTTP/2, HTTP/3, compression, caching. They have the value that nginx gives them when
 * it doesn't happen there either (none), so that the log formats of a configuration that is there stay good. `tcpinfo_…`: Node does not
 * tell what the kernel knows of a connection.
 * Whoever builds one of these things takes its variables out.
 */
const ABSENT = [
  'gzip_ratio',
  'http2',
  'http3',
  'ssl_alpn_protocol',
  'ssl_cipher',
  'ssl_ciphers',
  'ssl_client_fingerprint',
  'ssl_client_i_dn',
  'ssl_client_s_dn',
  'ssl_client_serial',
  'ssl_client_verify',
  'ssl_curve',
  'ssl_early_data',
  'ssl_protocol',
  'ssl_server_name',
  'ssl_session_id',
  'ssl_session_reused',
  'tcpinfo_rcv_space',
  'tcpinfo_rtt',
  'tcpinfo_rttvar',
  'tcpinfo_snd_cwnd',
  'upstream_cache_status',
] as const;

export const ABSENT_VARIABLES: readonly VariableDef[] = ABSENT.map((name) => ({ name, compile: () => () => null }));
