/** Whose fault a failure is: decides the log level, the peer's fail counter and the status. */
export const SIDES = ['client', 'upstream', 'proxy'] as const;
export type Side = (typeof SIDES)[number];

/** Whether the attempt may be repeated: never, always, or only when it failed on a reused idle connection before a byte came back. */
export const RETRY = ['no', 'yes', 'reused-only'] as const;
export type RetrySafety = (typeof RETRY)[number];

/** Every failure of the data path. Callers switch on `code`, people read `message` (number, unit, peer). */
export const ERROR_CODES = [
  'client-aborted',
  'client-timeout',
  'bad-request',
  'body-too-large',
  'connect-failed',
  'connect-timeout',
  'handshake-failed',
  'send-failed',
  'send-timeout',
  'read-failed',
  'read-timeout',
  'premature-close',
  'invalid-response',
  'response-head-too-large',
  'no-live-peer',
  'resolve-failed',
  'internal',
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

export interface ProxyErrorInit {
  readonly side: Side;
  /** Status to answer when nothing better is known; 0 = answer nothing. */
  readonly status: number;
  readonly retry?: RetrySafety;
  readonly cause?: unknown;
}

export class ProxyError extends Error {
  readonly code: ErrorCode;
  readonly side: Side;
  readonly status: number;
  readonly retry: RetrySafety;

  constructor(code: ErrorCode, message: string, init: ProxyErrorInit) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = 'ProxyError';
    this.code = code;
    this.side = init.side;
    this.status = init.status;
    this.retry = init.retry ?? 'no';
  }
}
