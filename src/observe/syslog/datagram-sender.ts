import { strerror } from '../../core/strerror.ts';

/** Sends each message as one datagram, without waiting for anybody. Never throws. */
export interface DatagramSender {
  send(message: Buffer): void;
  /** No configuration names the server any more: lets go of the socket; a late message opens one for a moment. */
  retire(): void;
  /** A configuration names it again. */
  revive(): void;
}

/** What a server that does not take messages may make us keep; beyond, they are lost. */
export const MAX_WAITING_BYTES = 256 * 1024;

/** Hears of messages that are lost, each with the system's words for why. */
export type OnLost = (why: string) => void;

/** `111: Connection refused`. */
export function whyOf(error: unknown): string {
  return strerror((error as NodeJS.ErrnoException).code ?? String(error));
}
