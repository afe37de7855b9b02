import type { DirectiveSpec } from '../../config/directive-spec.ts';
import { nowMs, turnMs } from '../../core/clock.ts';
import { Deadlines } from '../../core/deadlines.ts';
import type { HttpModule, LocationBuild, Services } from '../../http/http-module.ts';
import { DONE } from '../../http/location.ts';
import { TLS_FILES } from '../../net/tls-files.ts';
import { CONNECTIONS } from '../../upstream/acquire.ts';
import { UPSTREAMS } from '../../upstream/upstream-registry.ts';
import { nameLookup } from '../resolver/resolver-module.ts';
import { type ProxyWorker, takeProxyRequest } from './attempt-loop.ts';
import { locationPrefix, namedScope } from './location-prefix.ts';
import { finishProxyConf, type ProxyConf, proxyDefaults } from './proxy-conf.ts';
import { ProxyLocation } from './proxy-location.ts';
import { PROXY_VARIABLES } from './proxy-variables.ts';
import { bufferRows } from './rows-buffers.ts';
import { refusedRows } from './rows-refused.ts';
import { requestRows } from './rows-request.ts';
import { responseRows } from './rows-response.ts';
import { retryRows } from './rows-retry.ts';
import { tlsRows } from './rows-tls.ts';

/** `proxy_pass` and everything around it. */
export const proxyModule: HttpModule<ProxyConf> = {
  name: 'proxy',
  defaults: proxyDefaults,
  rows: [...requestRows, ...retryRows, ...responseRows, ...bufferRows, ...tlsRows, ...refusedRows].map(withPosition),
  variables: PROXY_VARIABLES,
  finish: (merged, own, scope) => {
    finishProxyConf(merged, own, scope, scope.parent === null ? null : scope.parent.conf(proxyModule));
  },
  compileLocation: (conf, build) => {
    if (conf.pass !== null) compileProxy(conf, build);
  },
};

/** The row, which also notes where the directive stands. */
function withPosition(row: DirectiveSpec<ProxyConf>): DirectiveSpec<ProxyConf> {
  return {
    ...row,
    apply: (own, use) => {
      own.positions = { ...own.positions, [use.name]: use.pos };
      row.apply?.(own, use);
    },
  };
}

function compileProxy(conf: ProxyConf, build: LocationBuild): void {
  const prefix = locationPrefix(namedScope(build.scope)) ?? '';
  const location = new ProxyLocation({
    conf,
    core: build.location.core,
    prefix,
    identity: `${build.scope.pos?.file}:${build.scope.pos?.line}`,
    prefixDirectory: build.prefix,
    registry: build.services.get(UPSTREAMS),
    variables: build.variables,
    tlsFiles: build.services.get(TLS_FILES),
    lookup: nameLookup(build.location),
  });
  const worker = workerOf(build.services);
  build.location.autoRedirect = prefix.endsWith('/');
  build.setContent((ex) => {
    takeProxyRequest(ex, worker).start(ex, location);
    return DONE;
  });
}

/** One per worker process, whatever the configuration's generation. */
const workers = new WeakMap<object, ProxyWorker>();

function workerOf(services: Services): ProxyWorker {
  const connections = services.get(CONNECTIONS);
  let worker = workers.get(connections);
  if (worker === undefined) {
    worker = { connections, deadlines: new Deadlines(nowMs), now: turnMs };
    workers.set(connections, worker);
  }
  return worker;
}
