/** Names of RFC 3164's facilities; the place is the number. */
export const FACILITIES = [
  'kern',
  'user',
  'mail',
  'daemon',
  'auth',
  'intern',
  'lpr',
  'news',
  'uucp',
  'clock',
  'authpriv',
  'ftp',
  'ntp',
  'audit',
  'alert',
  'cron',
  'local0',
  'local1',
  'local2',
  'local3',
  'local4',
  'local5',
  'local6',
  'local7',
] as const;

/** nginx's names of the severities, which differ from syslog's own; the place is the number. */
export const SEVERITIES = ['emerg', 'alert', 'crit', 'error', 'warn', 'notice', 'info', 'debug'] as const;

export type SyslogAddress =
  | { readonly kind: 'udp'; readonly host: string; readonly port: number; readonly family: 4 | 6 }
  | { readonly kind: 'unix'; readonly path: string };

/** `syslog:…` of a log. */
export interface SyslogSettings {
  /** `server=`. */
  readonly address: SyslogAddress;
  /** 0 to 23. */
  readonly facility: number;
  /** Of lines that have none of their own. */
  readonly severity: number;
  readonly tag: string;
  /** False (`nohostname`): the lines don't say which machine wrote them. */
  readonly hasHostname: boolean;
}

/** As nginx prints it: `127.0.0.1:514`, `[::1]:514`, `unix:/dev/log`. */
export function syslogAddressText(address: SyslogAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return address.family === 6 ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
