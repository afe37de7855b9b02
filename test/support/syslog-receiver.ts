import { createSocket } from 'node:dgram';
import { closeSync, readSync, rmSync } from 'node:fs';
import { poll } from './deadline.ts';

/** A syslog server that only remembers what it got, each datagram a byte string. */
export interface SyslogReceiver {
  /** What stands behind `server=`. */
  readonly address: string;
  readonly messages: readonly string[];
  /** Waits until one matches, and gives it; undefined: none came. */
  until(pattern: RegExp): Promise<string | undefined>;
  stop(): Promise<void>;
}

/** On UDP. `port` 0: any. */
export async function udpReceiver(port = 0, host = '127.0.0.1'): Promise<SyslogReceiver> {
  const messages: string[] = [];
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (message) => messages.push(message.toString('latin1')));
  await new Promise<void>((resolve) => socket.bind(port, host, resolve));
  const text = host.includes(':') ? `[${host}]` : host;
  return {
    address: `${text}:${socket.address().port}`,
    messages,
    until: (pattern) => untilOne(messages, pattern),
    stop: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

const AF_UNIX = 1;
const SOCK_DGRAM_NONBLOCK = 2 | 0o4000;

/** On a unix datagram socket; it takes messages only while somebody waits in `until` (or calls `take`). */
export function unixReceiver(path: string): SyslogReceiver & { take(): void } {
  const ffi = process.getBuiltinModule('node:ffi');
  const { functions } = ffi.dlopen(null, {
    socket: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
    bind: { arguments: ['i32', 'pointer', 'u32'], return: 'i32' },
    chmod: { arguments: ['pointer', 'u32'], return: 'i32' },
  });
  const fd = functions.socket(AF_UNIX, SOCK_DGRAM_NONBLOCK, 0);
  const name = Buffer.from(`${path}\0`, 'latin1');
  const address = Buffer.concat([Buffer.from(new Uint16Array([AF_UNIX]).buffer), name]);
  if (functions.bind(fd, address, address.length) !== 0) throw new Error(`bind ${path}`);
  functions.chmod(name, 0o666);
  const messages: string[] = [];
  const buffer = Buffer.alloc(65_536);
  const take = (): void => {
    try {
      for (;;) messages.push(buffer.toString('latin1', 0, readSync(fd, buffer)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  };
  return {
    address: `unix:${path}`,
    messages,
    take,
    until: (pattern) => untilOne(messages, pattern, take),
    stop: async () => {
      closeSync(fd);
      rmSync(path, { force: true });
    },
  };
}

function untilOne(
  messages: readonly string[],
  pattern: RegExp,
  take: () => void = () => undefined,
): Promise<string | undefined> {
  return poll(() => {
    take();
    return messages.find((message) => pattern.test(message));
  }, 5000);
}
