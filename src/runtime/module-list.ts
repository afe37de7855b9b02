import type { AnyConfModule } from '../config/directive-spec.ts';
import type { AnyHttpModule } from '../http/http-module.ts';
import { acceptedModule } from '../modules/accepted.ts';
import { accessModule } from '../modules/access/access-module.ts';
import { authBasicModule } from '../modules/auth-basic/auth-basic-module.ts';
import { coreModule } from '../modules/core/core-module.ts';
import { errorPageModule } from '../modules/error-page/error-page-module.ts';
import { geoModule } from '../modules/geo/geo-module.ts';
import { headersModule } from '../modules/headers/headers-module.ts';
import { healthCheckModule } from '../modules/health-check/health-check-module.ts';
import { httpCoreModule } from '../modules/http-core/http-core-module.ts';
import { limitConnModule } from '../modules/limit-conn/limit-conn-module.ts';
import { limitReqModule } from '../modules/limit-req/limit-req-module.ts';
import { logModule } from '../modules/log/log-module.ts';
import { mapModule } from '../modules/map/map-module.ts';
import { proxyModule } from '../modules/proxy/proxy.ts';
import { realIpModule } from '../modules/realip/realip-module.ts';
import { refererModule } from '../modules/referer/referer-module.ts';
import { rewriteModule } from '../modules/rewrite/rewrite-module.ts';
import { splitClientsModule } from '../modules/split-clients/split-clients-module.ts';
import { sslModule } from '../modules/ssl/ssl-module.ts';
import { lbStatusModule } from '../modules/status/lb-status.ts';
import { stubStatusModule } from '../modules/status/stub-status.ts';
import { tryFilesModule } from '../modules/try-files/try-files-module.ts';
import { upstreamModule } from '../modules/upstream/upstream-module.ts';

/**
 * The modules of http in the order in which their handlers run within a phase, header filters and log handlers alike.
 * `http-core` comes first: the content handler that it sets is what is left when no other module sets one.
 */
export const HTTP_MODULES: readonly AnyHttpModule[] = [
  httpCoreModule,
  sslModule,
  errorPageModule,
  upstreamModule,
  geoModule,
  mapModule,
  splitClientsModule,
  refererModule,
  rewriteModule,
  realIpModule,
  limitReqModule,
  limitConnModule,
  accessModule,
  authBasicModule,
  tryFilesModule,
  proxyModule,
  healthCheckModule,
  stubStatusModule,
  lbStatusModule,
  headersModule,
  logModule,
];

/** Every module: all that a configuration may say. */
export const MODULES: readonly AnyConfModule[] = [coreModule, acceptedModule, ...HTTP_MODULES];
