import { chmodSync, existsSync, lstatSync, unlinkSync } from 'node:fs';
import net from 'node:net';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { strerror } from '../core/strerror.ts';
import type { ListenAddress, ListenHandle } from '../net/listen-address.ts';

/**
 * The primary's side of a listening address: it binds, holds the socket for as long as a configuration names the address, and gives
 * it to every worker; workers listen and accept.
 *
 * Why not `server.listen()` in workers under node:cluster: with SCHED_NONE the primary drops a handle when the last worker that uses it
 * ends, so a crash of the only worker (or of all) would refuse connections until the next one is up. Held here, the socket stays
 * in the kernel's listening state and connections wait in its queue. Why not `net.Server` in the primary: it would accept.
 * So: `net._createServerHandle` binds without listening (the function that node:cluster itself uses for SCHED_NONE: the kernel
 * distributes, same cost of an accept), and `subprocess.send(message, handle)` passes the socket on, at start as at reload. It is not
 * documented; `net.BoundSocket`, which is, cannot be sent to another process.
 */
interface BoundHandle extends ListenHandle {
  getsockname?(out: object): number;
  close(): void;
}

type CreateHandle = (
  host: string,
  port: number,
  addressType: number,
  fd: number | undefined,
  flags: number,
) => BoundHandle | number;

const createHandle = (net as unknown as { readonly _createServerHandle: CreateHandle })._createServerHandle;

const UV_TCP_IPV6ONLY = 1;
const UV_TCP_REUSEPORT = 2;
const UNIX = -1;
const UNIX_SOCKET_MODE = 0o666;
const STALE_CHECK_MS = 1000;

/** bind(2) failed; the message is nginx's. */
export class BindError extends Error {
  /** Another process has the address: worth another try. */
  readonly isInUse: boolean;

  constructor(address: ListenAddress, errno: number) {
    super(`bind() to ${address.text} failed (${strerror(errno)})`);
    this.name = 'BindError';
    this.isInUse = strerror(errno).startsWith('98:');
  }
}

export class ListenSocket {
  #address: ListenAddress;
  /** One for all workers, or with `reuseport` one for each worker's slot. */
  readonly #handles: BoundHandle[] = [];

  private constructor(address: ListenAddress) {
    this.#address = address;
  }

  get address(): ListenAddress {
    return this.#address;
  }

  /** Binds. A unix socket that a dead process left is removed first. Rejects with BindError. */
  static async bind(address: ListenAddress): Promise<ListenSocket> {
    if (address.family === 'unix') await removeIfStale(address.path);
    const socket = new ListenSocket(address);
    socket.handleFor(0);
    return socket;
  }

  /** What two configurations share when it is equal in both. */
  get key(): string {
    return listenKey(this.#address);
  }

  /** A reload names the address again: its backlog counts. Whether there is a socket for each worker was settled when it was bound. */
  follow(address: ListenAddress): void {
    this.#address = { ...address, isReusePort: this.#address.isReusePort };
  }

  /** The handle for the worker in this slot. Throws BindError when a further socket of a `reuseport` address can't be bound. */
  handleFor(slot: number): ListenHandle {
    const index = this.#address.isReusePort ? slot : 0;
    return (this.#handles[index] ??= bindHandle(this.#address));
  }

  /** Workers of this slot and above are gone for good: with `reuseport` connections must not wait in their queues. */
  closeFrom(slot: number): void {
    if (!this.#address.isReusePort) return;
    for (const handle of this.#handles.splice(slot)) handle.close();
  }

  /**
   * Gives the address up. `isShared` false: this very process accepted on it and its server has closed the socket already
   * (a unix one under a second handle, so that closing this one would close a stranger's descriptor).
   */
  close(isShared = true): void {
    const isUnix = this.#address.family === 'unix';
    for (const handle of this.#handles.splice(0)) if (isShared || !isUnix) handle.close();
    if (isUnix) removeQuietly(this.#address.path);
  }
}

export function listenKey(address: ListenAddress): string {
  return address.text;
}

function bindHandle(address: ListenAddress): BoundHandle {
  if (address.family === 'unix') return bindUnix(address);
  const isInet6 = address.family === 'inet6';
  const flags = (isInet6 && address.isIpv6Only ? UV_TCP_IPV6ONLY : 0) | (address.isReusePort ? UV_TCP_REUSEPORT : 0);
  const handle = createHandle(address.host, address.port, isInet6 ? 6 : 4, undefined, flags);
  if (typeof handle === 'number') throw new BindError(address, handle);
  // libuv keeps EADDRINUSE back until the next call on the handle.
  const late = handle.getsockname?.({}) ?? 0;
  if (late !== 0) {
    handle.close();
    throw new BindError(address, late);
  }
  return handle;
}

function bindUnix(address: ListenAddress): BoundHandle {
  const path = asText(address.path);
  const handle = createHandle(path, UNIX, UNIX, undefined, 0);
  if (typeof handle === 'number') throw new BindError(address, unixErrno(handle, address.path));
  chmodSync(path, UNIX_SOCKET_MODE);
  return handle;
}

/** libuv says EACCES for a directory that is not there. */
function unixErrno(errno: number, bytePath: string): number {
  const isMissing = errno === -constants.errno.EACCES && !existsSync(Buffer.from(dirname(bytePath), 'latin1'));
  return isMissing ? -constants.errno.ENOENT : errno;
}

/**
 * A unix socket on which nobody listens refuses connections: then its file is removed. Anything else is left to bind(2). A file that is no socket
 * refuses connections in the same way, and is somebody's data.
 */
async function removeIfStale(bytePath: string): Promise<void> {
  if (isSocket(bytePath)) await removeIfRefused(bytePath);
}

function isSocket(bytePath: string): boolean {
  return lstatSync(Buffer.from(bytePath, 'latin1'), { throwIfNoEntry: false })?.isSocket() ?? false;
}

function removeIfRefused(bytePath: string): Promise<void> {
  const path = asText(bytePath);
  return new Promise((resolve) => {
    const probe = net.connect({ path });
    const done = (): void => {
      probe.destroy();
      resolve();
    };
    probe.setTimeout(STALE_CHECK_MS, done);
    probe.once('connect', done);
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') removeQuietly(bytePath);
      done();
    });
  });
}

function removeQuietly(bytePath: string): void {
  try {
    unlinkSync(Buffer.from(bytePath, 'latin1'));
  } catch {
    // gone already, or not ours to remove: bind(2) will tell
  }
}

/** Node takes socket paths as text. */
function asText(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
