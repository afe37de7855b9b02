import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { ServiceProcess } from './service-process.ts';
import { serviceFolder, serviceUser } from './service-user.ts';

const VERSIONS = '/usr/lib/postgresql';

/** Folder of PostgreSQL's programs, of the newest version that is installed; undefined: none is. */
export const POSTGRES_BIN: string | undefined = existsSync(VERSIONS)
  ? readdirSync(VERSIONS)
      .sort((a, b) => Number(b) - Number(a))
      .map((version) => join(VERSIONS, version, 'bin'))
      .find((folder) => existsSync(join(folder, 'initdb')))
  : undefined;

/** Superuser of every server here, its password, and its database. */
export const POSTGRES_LOGIN = {
  user: 'promptforge',
  password: 'pg-s3cret word',
  database: 'promptforge_prod',
} as const;

/** For speed: nothing here must survive a power cut. */
const SETTINGS = [
  "listen_addresses = '127.0.0.1'",
  'fsync = off',
  'max_wal_senders = 5',
  'max_replication_slots = 5',
  'wal_level = replica',
  'hot_standby = on',
  'shared_buffers = 8MB',
  'max_connections = 20',
  'wal_receiver_status_interval = 1s',
  'wal_retrieve_retry_interval = 200ms',
  'log_min_messages = fatal',
];

/** A real PostgreSQL on a free port of 127.0.0.1, in a folder of its own. Passwords by SCRAM. */
export class PostgresServer {
  readonly port: number;
  readonly folder: string;
  #process: ServiceProcess | null = null;

  private constructor(port: number, folder: string) {
    this.port = port;
    this.folder = folder;
  }

  /** A primary with nothing in it. `settings` are lines of postgresql.conf. */
  static async primary(settings: readonly string[] = []): Promise<PostgresServer> {
    const server = await PostgresServer.#place();
    const passwordFile = join(server.folder, 'password');
    writeFileSync(passwordFile, `${POSTGRES_LOGIN.password}\n`, { mode: 0o644 });
    const { user } = POSTGRES_LOGIN;
    const auth = ['--auth=scram-sha-256', `--username=${user}`, `--pwfile=${passwordFile}`];
    run('initdb', ['-D', server.#data, ...auth, '--no-sync', '--no-instructions', '--locale=C.UTF-8', '-E', 'UTF8']);
    server.configure([
      ...SETTINGS,
      `port = ${server.port}`,
      `unix_socket_directories = '${server.folder}'`,
      ...settings,
    ]);
    await server.start();
    server.sql(`CREATE DATABASE ${POSTGRES_LOGIN.database}`, 'postgres');
    return server;
  }

  /** A streaming replica of this server, with a slot of its own, `name`. */
  async replica(name: string): Promise<PostgresServer> {
    const server = await PostgresServer.#place();
    const slot = ['--create-slot', `--slot=${name}`, '--checkpoint=fast', '--no-sync'];
    const from = `host=127.0.0.1 port=${this.port} user=${POSTGRES_LOGIN.user} application_name=${name}`;
    run('pg_basebackup', ['-D', server.#data, '-d', from, '--write-recovery-conf', ...slot]);
    server.configure([`port = ${server.port}`, `unix_socket_directories = '${server.folder}'`]);
    await server.start();
    return server;
  }

  /** Lines of postgresql.conf; the last of a name counts. Taken at the next start. */
  configure(lines: readonly string[]): void {
    appendFileSync(join(this.#data, 'postgresql.conf'), `${lines.join('\n')}\n`);
  }

  async start(): Promise<void> {
    this.#process = await ServiceProcess.start({
      program: join(bin(), 'postgres'),
      args: ['-D', this.#data, '-c', 'log_min_messages=log', '-c', 'logging_collector=off'],
      user: serviceUser('postgres'),
      isReady: /database system is ready to accept (?:read-only )?connections/,
    });
  }

  /** Changes a setting of a running server; over what its files say. */
  set(name: string, value: string): void {
    this.sql(`ALTER SYSTEM SET ${name} = '${value.replaceAll("'", "''")}'`, 'postgres');
    this.sql('SELECT pg_reload_conf()', 'postgres');
  }

  /** `fast` ends sessions in order, `immediate` is a crash. */
  async stop(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    await this.#process?.stop(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
  }

  /** Stops it and removes its folder. */
  async remove(): Promise<void> {
    await this.stop('immediate');
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A replica becomes a primary. Resolves when it takes writes. */
  promote(): void {
    run('pg_ctl', ['promote', '-D', this.#data, '--wait']);
  }

  /** Runs SQL as superuser; gives the values of the answer, a line per row. */
  sql(text: string, database: string = POSTGRES_LOGIN.database): string {
    const where = `host=${this.folder} port=${this.port} user=${POSTGRES_LOGIN.user} dbname=${database}`;
    return run('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', where, '-c', text]).trim();
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  get #data(): string {
    return join(this.folder, 'data');
  }

  static async #place(): Promise<PostgresServer> {
    return new PostgresServer(await freePort(), serviceFolder('postgres', serviceUser('postgres')));
  }
}

function bin(): string {
  if (POSTGRES_BIN === undefined) throw new Error('PostgreSQL is not installed');
  return POSTGRES_BIN;
}

function run(program: string, args: readonly string[]): string {
  return execFileSync(join(bin(), program), args, {
    ...serviceUser('postgres'),
    cwd: '/',
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
    env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', PGPASSWORD: POSTGRES_LOGIN.password },
  });
}
