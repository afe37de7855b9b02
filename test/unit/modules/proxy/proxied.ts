import { Exchange } from '../../../../src/http/exchange.ts';
import { knownHeaderIdOf } from '../../../../src/http/known-header.ts';
import { beginExchange } from '../../../../src/http/phases.ts';
import { UPSTREAMS } from '../../../../src/upstream/upstream-registry.ts';
import { compileText } from '../../../support/compile-text.ts';
import { type ConnectScript, FakeConnections } from '../../../support/fake-upstream.ts';
import { SlowClientStream } from '../../../support/slow-client-stream.ts';

export interface Asked {
  readonly method?: string;
  readonly target?: string;
  readonly fields?: readonly string[];
  /** Body of known length. */
  readonly length?: number;
  readonly isUpgrade?: boolean;
  readonly roomBytes?: number;
}

/** A configuration whose peers are fakes. Every peer that was picked must have been released in the end: `active()`. */
export class Proxied {
  readonly connections: FakeConnections;
  readonly #compiled: ReturnType<typeof compileText>;

  constructor(http: string, script: readonly ConnectScript[] = []) {
    this.connections = new FakeConnections(script);
    this.#compiled = compileText(http, this.connections);
    if (this.#compiled.runtime === null) throw new Error(this.#compiled.findings.join('\n'));
  }

  ask(asked: Asked = {}): { stream: SlowClientStream; ex: Exchange } {
    const { method = 'GET', target = '/', fields = [] } = asked;
    const group = this.#compiled.runtime?.listeners[0]?.group;
    if (group === undefined) throw new Error('nothing listens');
    const stream = new SlowClientStream(asked.roomBytes);
    const connection = {
      id: 1,
      remoteAddress: '192.0.2.7',
      remotePort: 40_000,
      localAddress: '127.0.0.1',
      localPort: 8080,
      unixPath: '',
      isTls: false,
      tls: null,
      proxyProtocol: null,
      acceptedAtMs: 0,
      requests: 1,
    };
    const ex = new Exchange(connection, stream, group.defaultServer);
    stream.serve(ex);
    const line = `${method} ${target} HTTP/1.1`;
    const all = ['Host: example.org', ...fields];
    const bytes = Buffer.from(`${line}\r\n${all.map((field) => `${field}\r\n`).join('')}\r\n`, 'latin1');
    const { request } = ex;
    request.headers.reset(bytes);
    let at = line.length + 2;
    for (const field of all) {
      const colon = field.indexOf(':');
      request.headers.add(at, at + colon, at + colon + 2, at + field.length, knownHeaderIdOf(field.slice(0, colon)));
      at += field.length + 2;
    }
    request.method = method;
    request.target = target;
    request.rawHost = 'example.org';
    request.lineEnd = line.length;
    request.keepAlive = true;
    request.upgrade = asked.isUpgrade === true;
    if (asked.length !== undefined) {
      request.framing = asked.length < 0 ? 'chunked' : 'length';
      request.contentLength = asked.length;
    }
    beginExchange(ex, group);
    return { stream, ex };
  }

  /** Picks that were not released. */
  active(): number {
    const groups = this.#compiled.runtime?.services.get(UPSTREAMS).groups() ?? [];
    return groups.flatMap((group) => [...group.peers, ...group.backups]).reduce((sum, peer) => sum + peer.active, 0);
  }

  fails(): number[] {
    const groups = this.#compiled.runtime?.services.get(UPSTREAMS).groups() ?? [];
    return groups.flatMap((group) => group.peers.map((peer) => peer.stats.fails));
  }

  /** Lines of the access log: `$status $upstream_addr $upstream_status`, by `log_format t`. */
  accessLog(): string[] {
    return this.#lines('access.log');
  }

  /** Lines of the error log from the level on, without time, pid and connection. */
  errorLog(): string[] {
    return this.#lines('error.log').map((line) => line.replace(/^[\d/]+ [\d:]+ (\[\w+\]) [\d#]+: (\*\d+ )?/, '$1 '));
  }

  #lines(name: string): string[] {
    const written = [...this.#compiled.logLines].filter(([path]) => path.endsWith(name)).flatMap(([, texts]) => texts);
    return written.flatMap((text) => text.trimEnd().split('\n'));
  }
}

export const LOGS = `log_format t '$status $upstream_addr $upstream_status'; access_log access.log t; error_log error.log info;`;
