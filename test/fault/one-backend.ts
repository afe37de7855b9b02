import { onTestFinished } from 'vitest';
import { workerPids } from '../process/ask.ts';
import { poll } from '../support/deadline.ts';
import { freePort } from '../support/free-port.ts';
import { socketCount } from '../support/process-facts.ts';
import { RawClient } from '../support/raw-client.ts';
import { type BackendOptions, type Script, ScriptedBackend } from '../support/scripted-backend.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';

/** Directives put into each level of the configuration. */
export interface SiteOptions {
  readonly main?: string;
  readonly http?: string;
  readonly server?: string;
  readonly location?: string;
  /** Of the upstream `u`, beside its server. */
  readonly upstream?: string;
  /** What stands behind the server's address. Default: nothing. */
  readonly peer?: string;
  readonly backend?: Omit<BackendOptions, 'script'>;
}

/** One proxy (one worker) in front of one scripted backend; status at `/lb_status`. Everything is stopped when the test ends. */
export class OneBackend {
  readonly proxy: RunningProxy;
  readonly backend: ScriptedBackend;
  readonly port: number;

  private constructor(proxy: RunningProxy, backend: ScriptedBackend, port: number) {
    this.proxy = proxy;
    this.backend = backend;
    this.port = port;
  }

  static async start(script: Script, options: SiteOptions = {}): Promise<OneBackend> {
    const backend = await ScriptedBackend.start({ ...options.backend, script });
    onTestFinished(() => backend.stop());
    const port = await freePort();
    const proxy = await startProxy({
      conf: siteConf(port, `127.0.0.1:${backend.port} ${options.peer ?? ''}`, options),
    });
    onTestFinished(async () => void (await proxy.stop()));
    return new OneBackend(proxy, backend, port);
  }

  get workerPid(): number {
    return workerPids(this.proxy)[0] ?? 0;
  }

  connect(): Promise<RawClient> {
    return connectTo(this.port);
  }

  /** Sends these bytes on a new connection and waits for so many responses. */
  async ask(bytes: string, responses = 1): Promise<RawClient> {
    const client = await this.connect();
    client.send(bytes);
    await client.untilResponses(responses);
    return client;
  }

  /** Lines of the access log, once there are `count` of them. */
  async accessLines(count: number, deadlineMs = 5000): Promise<string[]> {
    const lines = (): string[] => this.proxy.read('access.log').split('\n').slice(0, -1);
    await poll(() => (lines().length >= count ? true : undefined), deadlineMs);
    return lines();
  }

  /** The peer's requests in flight, as `lb_status` tells. */
  async activeAtPeer(): Promise<number> {
    const client = await this.ask('GET /lb_status HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n');
    const status = JSON.parse(client.responses()[0]?.body ?? '') as {
      upstreams: Record<string, { peers: { active: number }[] }>;
    };
    client.close();
    return status.upstreams['u']?.peers.reduce((sum, peer) => sum + peer.active, 0) ?? -1;
  }

  /** Waits until the worker holds at most `most` sockets; tells how many it holds. */
  async socketsAtMost(most: number, deadlineMs = 5000): Promise<number> {
    const { workerPid } = this;
    return (
      (await poll(() => (socketCount(workerPid) <= most ? socketCount(workerPid) : undefined), deadlineMs)) ??
      socketCount(workerPid)
    );
  }

  /** Waits for a line of the error log. */
  async logged(pattern: RegExp, deadlineMs = 5000): Promise<boolean> {
    return (await poll(() => (pattern.test(this.proxy.errorLog()) ? true : undefined), deadlineMs)) ?? false;
  }
}

/** A raw client that is closed when the test ends. */
export async function connectTo(port: number): Promise<RawClient> {
  const client = await RawClient.connect({ port });
  onTestFinished(() => client.close());
  return client;
}

/** `GET PATH`, keeping the connection, unless other fields are given. */
export function get(path = '/', fields = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: t\r\n${fields}\r\n`;
}

export function post(body: string, path = '/', fields = ''): string {
  return `POST ${path} HTTP/1.1\r\nHost: t\r\nContent-Length: ${body.length}\r\n${fields}\r\n${body}`;
}

/** Status lines' numbers of all that a client has received. */
export function statuses(client: RawClient): number[] {
  return client.responses().map((response) => Number(response.startLine.split(' ')[1]));
}

/** A configuration with one location, proxied to the upstream `u`. */
export function siteConf(port: number, servers: string, options: SiteOptions = {}): string {
  return `worker_processes 1;
error_log error.log info;
${options.main ?? ''}
events {}
http {
    log_format drill '$status $request_method $uri upstream=$upstream_status bytes=$body_bytes_sent $request_completion';
    access_log access.log drill;
    ${options.http ?? ''}
    upstream u {
        ${servers
          .split(',')
          .map((server) => `server ${server};`)
          .join(' ')}
        ${options.upstream ?? ''}
    }
    server {
        listen 127.0.0.1:${port};
        ${options.server ?? ''}
        location / { proxy_pass http://u; ${options.location ?? ''} }
        location = /lb_status { access_log off; lb_status; }
    }
}
`;
}
