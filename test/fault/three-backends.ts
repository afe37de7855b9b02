import { onTestFinished } from 'vitest';
import { BackendProcess } from '../support/backend-process.ts';
import { freePort } from '../support/free-port.ts';
import { Load, type LoadOptions } from '../support/load.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';

export interface ThreeBackendsOptions {
  readonly workers?: number;
  /** Of each server in the upstream. */
  readonly peer?: string;
  /** More directives of the upstream. */
  readonly upstream?: string;
  readonly main?: string;
  readonly server?: string;
}

/** A proxy in front of three backends, each a process of its own. Everything is stopped when the test ends. */
export class ThreeBackends {
  readonly proxy: RunningProxy;
  readonly port: number;
  readonly a: BackendProcess;
  readonly b: BackendProcess;
  readonly c: BackendProcess;
  readonly #conf: (more: string) => string;

  private constructor(
    proxy: RunningProxy,
    port: number,
    [a, b, c]: readonly [BackendProcess, BackendProcess, BackendProcess],
    conf: (more: string) => string,
  ) {
    this.proxy = proxy;
    this.port = port;
    this.a = a;
    this.b = b;
    this.c = c;
    this.#conf = conf;
  }

  static async start(options: ThreeBackendsOptions = {}): Promise<ThreeBackends> {
    const start = async (name: string): Promise<BackendProcess> => {
      const backend = await BackendProcess.start(name);
      onTestFinished(() => backend.stop());
      return backend;
    };
    const backends = await Promise.all([start('a'), start('b'), start('c')]);
    const port = await freePort();
    const conf = (more: string): string => confText(port, backends, options, more);
    const proxy = await startProxy({ conf: conf('') });
    onTestFinished(async () => void (await proxy.stop()));
    return new ThreeBackends(proxy, port, backends, conf);
  }

  /** A load that ends with the test at the latest. */
  load(options: Partial<Omit<LoadOptions, 'port'>> = {}): Load {
    const load = new Load({ connections: 8, pauseMs: 20, postEvery: 4, ...options, port: this.port });
    onTestFinished(async () => void (await load.stop()));
    return load;
  }

  /** HUP with these directives added to the server. */
  reload(more: string): void {
    this.proxy.rewriteConf(this.#conf(more));
    this.proxy.signal('SIGHUP');
  }
}

function confText(
  port: number,
  backends: readonly BackendProcess[],
  options: ThreeBackendsOptions,
  more: string,
): string {
  const peer = options.peer ?? 'max_fails=1 fail_timeout=1s';
  return `worker_processes ${options.workers ?? 1};
error_log error.log info;
${options.main ?? ''}
events {}
http {
    log_format drill '$status $request_method $uri upstream=$upstream_status $request_completion';
    access_log access.log drill;
    upstream u {
        ${options.upstream ?? ''}
        ${backends.map((backend) => `server 127.0.0.1:${backend.port} ${peer};`).join('\n        ')}
    }
    server {
        listen 127.0.0.1:${port};
        add_header X-Worker $pid always;
        proxy_connect_timeout 400ms;
        proxy_read_timeout 400ms;
        proxy_next_upstream error timeout http_503;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $http_connection;
        ${options.server ?? ''}
        ${more}
        location / { proxy_pass http://u; }
        location = /lb_status { access_log off; lb_status; }
    }
}
`;
}
