import { randomBytes } from 'node:crypto';
import type { SecureContext } from 'node:tls';

/** A key of session tickets, as Node cuts its 48 bytes. */
interface TicketKey {
  readonly name: Buffer;
  readonly hmac: Buffer;
  readonly aes: Buffer;
}

/** Answers of OpenSSL's ticket callback (SSL_CTX_set_tlsext_ticket_key_cb(3)). */
const UNKNOWN = 0;
const MADE = 1;
const KNOWN_RENEW = 2;

type TicketAnswer = readonly [verdict: number, hmac: Buffer, aes: Buffer, name?: Buffer, iv?: Buffer];

interface TicketContext {
  enableTicketKeyCallback(): void;
  onticketkeycallback: (name: Buffer, iv: Buffer, isNew: boolean) => TicketAnswer;
}

const NOTHING = Buffer.alloc(16);

/**
 * Gives a context its keys of session tickets (48 bytes each, as `ticketKeys` takes one): the first makes tickets, all open them. Whoever
 * resumes by a ticket gets a new one, as in nginx: clients use a ticket of TLS 1.3 once.
 *
 * Node's documented way knows one key and renews nothing. The callback behind it is older than it and not documented; without it the
 * context has the one key of its options.
 */
export function installTicketKeys(context: SecureContext, keys: readonly Buffer[]): void {
  const own = context.context as Partial<TicketContext>;
  const known = keys.map(cut);
  const [newest] = known;
  if (newest === undefined || typeof own.enableTicketKeyCallback !== 'function') return;
  own.enableTicketKeyCallback();
  own.onticketkeycallback = (name, _iv, isNew) => {
    if (isNew) return [MADE, newest.hmac, newest.aes, newest.name, randomBytes(16)];
    const key = known.find((one) => one.name.equals(name));
    return key === undefined ? [UNKNOWN, NOTHING, NOTHING] : [KNOWN_RENEW, key.hmac, key.aes];
  };
}

function cut(key: Buffer): TicketKey {
  return { name: key.subarray(0, 16), hmac: key.subarray(16, 32), aes: key.subarray(32, 48) };
}
