import { closeSync } from 'node:fs';
import { constants } from 'node:os';

/**
 * Unix datagram sockets, which Node has none of: the three calls of the C library that make a connected one, by node:ffi (Node 26).
 * What is written to its descriptor is a datagram.
 */
interface SocketCalls {
  socket(domain: number, type: number, protocol: number): number;
  connect(fd: number, address: Buffer, length: number): number;
  errno(): number;
}

/** Linux's numbers. */
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const PATH_AT = 2;

/** What `server=unix:` needs; null: it is there. */
export function whyNoUnixDatagrams(): string | null {
  return socketCalls() === null
    ? `it needs Linux and Node 26 or newer with node:ffi, this is Node ${process.versions.node}`
    : null;
}

/** Descriptor of a socket that does not block, connected to the server at `path`. Throws the system's error. */
export function connectUnixDatagram(path: string): number {
  const calls = socketCalls();
  if (calls === null) throw new Error('no unix datagrams');
  const fd = calls.socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw systemError(calls.errno());
  const bytes = Buffer.from(`${path}\0`, 'latin1');
  const address = Buffer.alloc(PATH_AT + bytes.length);
  if (endianness === 'LE') address.writeUInt16LE(AF_UNIX);
  else address.writeUInt16BE(AF_UNIX);
  bytes.copy(address, PATH_AT);
  if (calls.connect(fd, address, address.length) < 0) {
    const error = systemError(calls.errno());
    closeSync(fd);
    throw error;
  }
  return fd;
}

const endianness = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 'LE' : 'BE';

/** Undefined: not tried yet; null: there are none. */
let known: SocketCalls | null | undefined;

function socketCalls(): SocketCalls | null {
  if (known === undefined) known = process.platform === 'linux' ? loadCalls() : null;
  return known;
}

function loadCalls(): SocketCalls | null {
  try {
    const ffi = silently(() => process.getBuiltinModule('node:ffi'));
    if (ffi === undefined) return null;
    const { functions } = ffi.dlopen(null, {
      socket: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
      connect: { arguments: ['i32', 'pointer', 'u32'], return: 'i32' },
      __errno_location: { arguments: [], return: 'pointer' },
    });
    return {
      socket: (domain, type, protocol) => Number(functions.socket(domain, type, protocol)),
      connect: (fd, address, length) => Number(functions.connect(fd, address, length)),
      errno: () => Number(ffi.getInt32(functions.__errno_location(), 0)),
    };
  } catch {
    return null; // an older Node, one built without it, or one that was told not to
  }
}

/** Without the warning that the module is experimental: whoever reads our logs can't do anything about it. */
function silently<T>(load: () => T): T {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return load();
  } finally {
    process.emitWarning = emitWarning;
  }
}

function systemError(errno: number): Error {
  const code = Object.entries(constants.errno).find(([, number]) => number === errno)?.[0] ?? 'EIO';
  return Object.assign(new Error(code), { code });
}
