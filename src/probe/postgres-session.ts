import { Socket } from 'node:net';
import { dirname, extname } from 'node:path';
import type { Client } from 'pg';
import { PostgresFrames } from './postgres-frames.ts';
import type { ProbeTarget } from './probe.ts';

/** Who logs in where. */
export interface PostgresLogin {
  readonly user: string;
  readonly database: string;
  /** Absent: none is given, and a server that wants one refuses. */
  readonly password?: string;
}

/** One connection to PostgreSQL, for a few queries. */
export interface PostgresSession {
  /** The first row of the answer; undefined: there is none. */
  row(sql: string): Promise<Row | undefined>;
  rows(sql: string): Promise<Row[]>;
  /** Lets go of the socket at once. */
  close(): void;
}

export type Row = Readonly<Record<string, unknown>>;

/**
 * Connects and logs in. Rejects with the server's or the socket's error; when `signal` is aborted the socket is destroyed, and whatever is
 * awaited rejects.
 */
export async function openPostgres(
  target: ProbeTarget,
  login: PostgresLogin,
  signal: AbortSignal,
): Promise<PostgresSession> {
  // Loaded late: nobody else needs it.
  const { default: pg } = await import('pg');
  signal.throwIfAborted();
  // Our own, so that it can be destroyed: pg would end it politely and wait for a peer that may be hung.
  const socket = new GuardedSocket();
  const destroy = (): void => {
    socket.destroy();
  };
  signal.addEventListener('abort', destroy, { once: true });
  const client: Client = new pg.Client({
    ...place(target),
    user: login.user,
    database: login.database,
    // A function, so that neither PGPASSWORD nor ~/.pgpass steps in for a password that was not given.
    password: () => login.password ?? '',
    ssl: false,
    application_name: 'evenkeel check',
    stream: () => socket,
  });
  // What breaks is told by the query at hand; without a listener it would end the program.
  client.on('error', () => undefined);
  const close = (): void => {
    signal.removeEventListener('abort', destroy);
    // Says good-bye, so that the server's log has no "unexpected EOF"; then the socket goes, whatever the server does.
    client.end(() => undefined);
    socket.destroySoon();
    socket.unref();
  };
  try {
    await client.connect();
  } catch (error) {
    close();
    socket.destroy();
    throw error;
  }
  const rows = async (sql: string): Promise<Row[]> => (await client.query<Record<string, unknown>>(sql)).rows;
  return { rows, row: async (sql) => (await rows(sql))[0], close };
}

/** What comes is looked at before pg sees it; and what pg's parser throws ends the connection, not the program. */
class GuardedSocket extends Socket {
  readonly #frames = new PostgresFrames();

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    const [chunk] = args;
    if (event !== 'data' || !Buffer.isBuffer(chunk)) return super.emit(event, ...args);
    const messages = this.#frames.take(chunk);
    try {
      if (messages !== null) return messages.length === 0 || super.emit('data', messages);
    } catch {
      // Told below: what is wrong is not pg's word for it.
    }
    this.destroy(new Error("it does not speak PostgreSQL's protocol"));
    return true;
  }
}

/** pg takes a folder and a port for a socket: `/run/postgresql/.s.PGSQL.5432`. */
function place(target: ProbeTarget): { readonly host: string; readonly port: number } {
  if (target.kind === 'tcp') return { host: target.host, port: target.port };
  return { host: dirname(target.path), port: Number(extname(target.path).slice(1)) };
}
