import { Socket } from 'node:net';
import type { ProbeTarget } from './probe.ts';

/** One connection to a Redis server or a Sentinel, for a few commands. */
export interface RedisSession {
  /** Sends one command. Rejects with the server's error or the socket's. */
  ask(command: string, ...args: readonly string[]): Promise<unknown>;
  /** Where it is connected to: `172.26.0.20:6379`; '' for a unix socket. */
  readonly address: string;
  /** Lets go of the socket at once. */
  close(): void;
}

/**
 * Connects, without logging in: who logs in says AUTH. Rejects with the socket's error; when `signal` is aborted the socket is destroyed,
 * and whatever is awaited rejects.
 */
export async function openRedis(target: ProbeTarget, signal: AbortSignal): Promise<RedisSession> {
  // Loaded late: nobody else needs it.
  const { Redis, AbstractConnector } = await import('ioredis');
  signal.throwIfAborted();
  // Our own, so that it can be destroyed: ioredis would end it politely and wait for a peer that may be hung.
  const socket = new GuardedSocket();
  if (target.kind === 'unix') socket.connect(target.path);
  else socket.connect(target.port, target.host);
  const ofSocket: { error: Error | null } = { error: null };
  socket.on('error', (error) => {
    ofSocket.error ??= error;
  });
  class OwnSocket extends AbstractConnector {
    override connect(): Promise<Socket> {
      this.stream = socket;
      return Promise.resolve(socket);
    }
  }
  const redis = new Redis({
    Connector: class extends OwnSocket {
      constructor() {
        super(0);
      }
    },
    lazyConnect: true,
    protocol: 2,
    disableClientInfo: true,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    // The probe's own time is the limit.
    connectTimeout: 0,
    retryStrategy: () => null,
  });
  // What breaks is told by the command at hand; without a listener it is written to the console.
  redis.on('error', () => undefined);
  const destroy = (): void => {
    socket.destroy();
  };
  signal.addEventListener('abort', destroy, { once: true });
  const close = (): void => {
    signal.removeEventListener('abort', destroy);
    redis.disconnect();
    socket.destroy();
  };
  try {
    await redis.connect();
  } catch (error) {
    close();
    throw ofSocket.error ?? error;
  }
  const { remoteAddress, remotePort } = socket;
  return {
    close,
    address: remoteAddress === undefined ? '' : `${remoteAddress}:${remotePort}`,
    ask: async (command, ...args) => {
      try {
        return await redis.call(command, ...args);
      } catch (error) {
        throw ofSocket.error ?? inWords(error);
      }
    },
  };
}

/** What ioredis's parser throws ends the connection, not the program. */
class GuardedSocket extends Socket {
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (event !== 'data') return super.emit(event, ...args);
    try {
      return super.emit(event, ...args);
    } catch {
      this.destroy(new Error("it does not speak Redis's protocol"));
      return true;
    }
  }
}

/** ioredis asks to report what its parser does not know. */
function inWords(error: unknown): unknown {
  const isForeign = error instanceof Error && /^Unknown RESP type/.test(error.message);
  return isForeign ? new Error("it does not speak Redis's protocol") : error;
}

/** The lines of INFO: `name:value`. */
export function infoFields(text: unknown): ReadonlyMap<string, string> {
  const lines = typeof text === 'string' ? text.split('\r\n') : [];
  return new Map(lines.filter((line) => line.includes(':')).map((line) => splitAt(line, line.indexOf(':'))));
}

/** A map as RESP2 has it: `[name, value, name, value …]`. */
export function pairFields(reply: unknown): ReadonlyMap<string, string> {
  const items = Array.isArray(reply) ? reply.map(String) : [];
  const fields = new Map<string, string>();
  for (let i = 0; i + 1 < items.length; i += 2) fields.set(items[i] ?? '', items[i + 1] ?? '');
  return fields;
}

function splitAt(line: string, at: number): [string, string] {
  return [line.slice(0, at), line.slice(at + 1)];
}
