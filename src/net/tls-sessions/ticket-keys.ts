import { randomBytes } from 'node:crypto';
import type { SecureContext } from 'node:tls';

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
 * Gives a context its keys of session tickets (48 bytes each, name, HMAC and AES, as `ticketKeys` takes one; they may change): the first makes tickets, all open them. Whoever
 * resumes by a ticket gets a new one, as in nginx: clients use a ticket of TLS 1.3 once.
 *
 * Node's documented way knows one key and renews nothing. The callback behind it is older than it and not documented; without it the
 * context has the one key of its options.
 */
export function installTicketKeys(context: SecureContext, keys: () => readonly Buffer[]): void {
  const own = context.context as Partial<TicketContext>;
  if (typeof own.enableTicketKeyCallback !== 'function') return;
  own.enableTicketKeyCallback();
  own.onticketkeycallback = (name, _iv, isNew) => {
    const [newest] = keys();
    const key = isNew ? newest : keys().find((one) => nameOf(one).equals(name));
    if (key === undefined) return [UNKNOWN, NOTHING, NOTHING];
    const [hmac, aes] = [key.subarray(16, 32), key.subarray(32, 48)];
    return isNew ? [MADE, hmac, aes, nameOf(key), randomBytes(16)] : [KNOWN_RENEW, hmac, aes];
  };
}

function nameOf(key: Buffer): Buffer {
  return key.subarray(0, 16);
}
