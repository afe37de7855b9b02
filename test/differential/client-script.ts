import type { ConnectionOptions } from 'node:tls';

/** What the client of a differential case does, as data. Placeholders (`%%PORT%%` …) in bytes are filled in. */

/** Wait until that many final responses are there in all. */
interface AwaitResponses {
  readonly responses: number;
}
/** Wait until these bytes have been received. */
interface AwaitBytes {
  readonly received: string;
}
/** FIN after what was sent. */
export const HALF_CLOSE = Symbol('half-close');
/** The client goes away: FIN and nothing is read any more. */
export const HANG_UP = Symbol('hang-up');
/** The client goes away with RST. */
export const RESET_CONNECTION = Symbol('reset-connection');
/** Look for 40 ms whether the server closes; without it the client waits for the close. */
export const STAY = Symbol('stay');

/** Bytes to send, milliseconds to pause, something to wait for, or an end. */
export type ClientStep =
  | string
  | number
  | AwaitResponses
  | AwaitBytes
  | typeof HALF_CLOSE
  | typeof HANG_UP
  | typeof RESET_CONNECTION
  | typeof STAY;

export interface Connection {
  readonly steps: readonly ClientStep[];
  /** Name of the listening port's placeholder. Default `PORT`. */
  readonly port?: string;
  /** Address to connect to, e.g. `::1`. Default 127.0.0.1. */
  readonly address?: string;
  /** Unix socket to connect to (with placeholders), instead of a port. */
  readonly path?: string;
  /** The client's own address. Default 127.0.0.1. */
  readonly from?: string;
  /** The connection is TLS, with these options. */
  readonly tls?: ConnectionOptions;
}

export interface RequestOptions {
  readonly method?: string;
  /** `Host`; '' sends an empty one, `null` none at all. Default `localhost`. */
  readonly host?: string | null;
  readonly version?: string;
  /** `Name: value` lines. */
  readonly headers?: readonly string[];
  readonly body?: string;
  /** Leave `Connection: close` out. */
  readonly keep?: boolean;
  readonly port?: string;
  readonly from?: string;
  readonly tls?: ConnectionOptions;
}

/** The bytes of one request. A body gets its `Content-Length`. */
export function request(target: string, options: RequestOptions = {}): string {
  const host = options.host === undefined ? 'localhost' : options.host;
  const lines = [`${options.method ?? 'GET'} ${target} HTTP/${options.version ?? '1.1'}`];
  if (host !== null) lines.push(`Host: ${host}`);
  if (!options.keep) lines.push('Connection: close');
  if (options.body !== undefined) lines.push(`Content-Length: ${options.body.length}`);
  return `${[...lines, ...(options.headers ?? [])].join('\r\n')}\r\n\r\n${options.body ?? ''}`;
}

/** One request on its own connection, read until the server closes. */
export function get(target: string, options: RequestOptions = {}): Connection {
  return on([request(target, options)], options);
}

export function post(target: string, body: string, options: RequestOptions = {}): Connection {
  return get(target, { method: 'POST', body, ...options });
}

/** Several requests on one connection, each sent when the one before was answered; shows whether the server keeps it. */
export function inSuccession(...requests: readonly string[]): Connection {
  return { steps: [...requests.flatMap((bytes, i) => [bytes, { responses: i + 1 }]), STAY] };
}

/** All requests in one write; reads that many responses and shows whether the server keeps the connection. */
export function pipelined(...requests: readonly string[]): Connection {
  return { steps: [requests.join(''), { responses: requests.length }, STAY] };
}

/** Exactly these bytes, read until the server closes (or 1 s of nothing, which shows as `open`). */
export function raw(...bytes: readonly string[]): Connection {
  return { steps: [bytes.join('')] };
}

/** Lines of a head with CRLF after each and the empty line at the end. */
export function head(...lines: readonly string[]): string {
  return `${lines.join('\r\n')}\r\n\r\n`;
}

export function on(steps: readonly ClientStep[], where: Omit<Connection, 'steps'> = {}): Connection {
  const { port, address, path, from, tls } = where;
  const rest = { ...(path && { path }), ...(from && { from }), ...(tls && { tls }) };
  return { steps, ...(port && { port }), ...(address && { address }), ...rest };
}

/** The same connection `count` times, one after the other. */
export function times(count: number, connection: Connection): Connection[] {
  return Array.from({ length: count }, () => connection);
}
