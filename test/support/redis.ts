import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { ServiceProcess } from './service-process.ts';
import { giveTo, type ServiceUser, serviceFolder, serviceUser } from './service-user.ts';

/** Redis's server program, which is its Sentinel too; undefined: not installed. */
export const REDIS_SERVER: string | undefined = ['/usr/bin/redis-server', '/usr/local/bin/redis-server'].find((path) =>
  existsSync(path),
);

/** Of every server here. Without a blank: a Sentinel writes it into its own file without quotes, and can't read that again. */
export const REDIS_PASSWORD = 'redis-s3cret';
export const MASTER_NAME = 'mymaster';

const IS_READY = /Ready to accept connections|Sentinel ID is/;

/** A real Redis, or a Sentinel, on a free port of 127.0.0.1, in a folder of its own. */
export class RedisServer {
  readonly port: number;
  readonly folder: string;
  readonly #mode: readonly string[];
  readonly #user: ServiceUser;
  #process: ServiceProcess | null = null;

  private constructor(port: number, folder: string, user: ServiceUser, mode: readonly string[]) {
    this.port = port;
    this.folder = folder;
    this.#user = user;
    this.#mode = mode;
  }

  /** A master, with `requirepass` and `masterauth`. `settings` are lines of redis.conf. */
  static async master(settings: readonly string[] = []): Promise<RedisServer> {
    const auth = [`requirepass "${REDIS_PASSWORD}"`, `masterauth "${REDIS_PASSWORD}"`];
    const timing = ['repl-diskless-sync yes', 'repl-diskless-sync-delay 0', 'repl-ping-replica-period 1'];
    return RedisServer.#create('redis', [], [...auth, ...timing, 'save ""', ...settings]);
  }

  /** A replica of this one. */
  replica(settings: readonly string[] = []): Promise<RedisServer> {
    return RedisServer.master([`replicaof 127.0.0.1 ${this.port}`, ...settings]);
  }

  /** A Sentinel that watches this master as `mymaster`. `downAfterMs` and the like are short, so that failovers are. */
  sentinel(quorum: number, settings: readonly string[] = []): Promise<RedisServer> {
    const of = `sentinel`;
    return RedisServer.#create(
      'sentinel',
      ['--sentinel'],
      [
        `${of} monitor ${MASTER_NAME} 127.0.0.1 ${this.port} ${quorum}`,
        `${of} auth-pass ${MASTER_NAME} "${REDIS_PASSWORD}"`,
        `${of} down-after-milliseconds ${MASTER_NAME} 500`,
        `${of} failover-timeout ${MASTER_NAME} 3000`,
        `${of} parallel-syncs ${MASTER_NAME} 1`,
        ...settings,
      ],
    );
  }

  static async #create(name: string, mode: readonly string[], lines: readonly string[]): Promise<RedisServer> {
    const user = serviceUser('redis');
    const server = new RedisServer(await freePort(), serviceFolder(name, user), user, mode);
    const own = ['bind 127.0.0.1', 'protected-mode no', `port ${server.port}`, `dir ${server.folder}`];
    // Its own user rewrites it: replicas and Sentinels keep there what they learn.
    writeFileSync(server.#conf, `${[...own, ...lines].join('\n')}\n`);
    giveTo(server.#conf, user);
    await server.start();
    return server;
  }

  async start(): Promise<void> {
    if (REDIS_SERVER === undefined) throw new Error('Redis is not installed');
    const args = [this.#conf, ...this.#mode];
    this.#process = await ServiceProcess.start({ program: REDIS_SERVER, args, user: this.#user, isReady: IS_READY });
  }

  /** Stops it, in order or by a crash. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    await this.#process?.stop(signal);
  }

  /** It neither answers nor ends, until `resume`. */
  pause(): void {
    this.#process?.signal('SIGSTOP');
  }

  resume(): void {
    this.#process?.signal('SIGCONT');
  }

  /** Stops it and removes its folder. */
  async remove(): Promise<void> {
    await this.stop('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Sends a command by redis-cli; gives its answer. */
  command(...args: readonly string[]): string {
    const isSentinel = this.#mode.length > 0;
    return execFileSync('redis-cli', ['-p', String(this.port), ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 20_000,
      env: { PATH: process.env['PATH'], ...(isSentinel ? {} : { REDISCLI_AUTH: REDIS_PASSWORD }) },
    }).trim();
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  get log(): string {
    return this.#process?.output ?? '';
  }

  get conf(): string {
    return readFileSync(this.#conf, 'utf8');
  }

  get #conf(): string {
    return join(this.folder, 'redis.conf');
  }
}
