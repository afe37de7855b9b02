import type { SecureContext } from 'node:tls';
import type { TlsMeans } from '../../http/tls.ts';
import type { ClientHello } from '../client-hello.ts';

const NAME_BYTES = 16;

/** `context` is what `tls.Server.setTicketKeys` speaks to as well. */
function setTicketKey(context: SecureContext, key: Buffer): void {
  (context.context as { setTicketKeys(key: Buffer): void }).setTicketKeys(key);
}

/**
 * Makes the socket of a handshake, so that a ticket of an older key is understood. A context has one key: it is the older one while the hello
 * is read, which is what a new socket does in the next tick, and the newest again before anything else happens. Tickets that the
 * handshake makes are of the newest.
 */
export function useTicketKey<T>(
  context: SecureContext,
  ticketKeys: TlsMeans['ticketKeys'],
  hello: ClientHello,
  make: () => T,
): T {
  const [newest, ...older] = ticketKeys ?? [];
  if (newest === undefined || older.length === 0) return make();
  const ticket = hello.ticket.length > 0 ? hello.ticket : hello.identity;
  const name = ticket.subarray(0, NAME_BYTES);
  const found = newest.subarray(0, NAME_BYTES).equals(name)
    ? undefined
    : older.find((key) => key.subarray(0, NAME_BYTES).equals(name));
  if (found === undefined) return make();
  process.nextTick(setTicketKey, context, found);
  const made = make();
  process.nextTick(setTicketKey, context, newest);
  return made;
}
