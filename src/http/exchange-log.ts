import type { ErrorLog } from '../observe/error-log.ts';
import type { LogLevel } from '../observe/log-level.ts';
import type { ClientConnection } from './client-stream.ts';
import type { Exchange } from './exchange.ts';
import type { RequestLog } from './location.ts';

/** A location's error log: adds what nginx's ngx_http_log_error adds, in its order. */
export class ExchangeLog implements RequestLog {
  readonly #log: ErrorLog;

  constructor(log: ErrorLog) {
    this.#log = log;
  }

  isEnabled(level: LogLevel): boolean {
    return this.#log.isEnabled(level);
  }

  write(level: LogLevel, ex: Exchange, text: string, upstream = ''): void {
    if (!this.#log.isEnabled(level)) return;
    // nginx leaves the context off at debug level.
    this.#log.write(level, text, ex.connection.id, level === 'debug' ? null : exchangeFields(ex, upstream));
  }

  writeWaiting(level: LogLevel, connection: ClientConnection, text: string): void {
    if (!this.#log.isEnabled(level)) return;
    const { unixPath, remoteAddress, localAddress, localPort } = connection;
    const client = unixPath === '' ? remoteAddress : 'unix:';
    const host = localAddress.includes(':') ? `[${localAddress}]` : localAddress;
    this.#log.write(level, text, connection.id, [
      'client',
      client,
      'server',
      unixPath === '' ? `${host}:${localPort}` : `unix:${unixPath}`,
    ]);
  }
}

function exchangeFields(ex: Exchange, upstream: string): string[] {
  const { connection, request } = ex;
  const fields = ['client', connection.unixPath === '' ? connection.remoteAddress : 'unix:', 'server', ex.server.name];
  if (request.line !== '') fields.push('request', request.line);
  if (ex.subrequest !== null) fields.push('subrequest', ex.uri);
  if (upstream !== '') fields.push('upstream', upstream);
  const host = request.headers.get('host');
  if (host !== null) fields.push('host', host);
  const referrer = request.headers.get('referer');
  if (referrer !== null) fields.push('referrer', referrer);
  return fields;
}
