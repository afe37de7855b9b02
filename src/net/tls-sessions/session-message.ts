/**
 * What workers and the primary tell each other about `ssl_session_cache shared:…`. Plain JSON. Sessions hold the secrets of connections:
 * nobody may write them into a log.
 */
export type SessionMessage = SessionWorkerMessage | SessionPrimaryMessage;

/** Worker to primary. */
export type SessionWorkerMessage =
  | { readonly kind: 'session-found?'; readonly zone: string; readonly query: number; readonly id: string }
  | {
      readonly kind: 'session-made';
      readonly zone: string;
      readonly id: string;
      /** Base64, as in the answer. */
      readonly session: string;
      readonly lifeMs: number;
    };

/** Primary to the worker that asked. */
export interface SessionPrimaryMessage {
  readonly kind: 'session-answer';
  readonly query: number;
  readonly session: string | null;
}
