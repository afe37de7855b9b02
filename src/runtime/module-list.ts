import type { AnyConfModule } from '../config/directive-spec.ts';
import type { AnyHttpModule } from '../http/http-module.ts';
import { acceptedModule } from '../modules/accepted.ts';
import { accessModule } from '../modules/access/access-module.ts';
import { authBasicModule } from '../modules/auth-basic/auth-basic-module.ts';
import { authRequestModule } from '../modules/auth-request/auth-request-module.ts';
import { autoindexModule } from '../modules/autoindex/autoindex-module.ts';
import { brotliModule } from '../modules/brotli/brotli-module.ts';
import { brotliStaticModule } from '../modules/brotli-static/brotli-static-module.ts';
import { charsetModule } from '../modules/charset/charset-module.ts';
import { coreModule } from '../modules/core/core-module.ts';
import { errorPageModule } from '../modules/error-page/error-page-module.ts';
import { geoModule } from '../modules/geo/geo-module.ts';
import { gunzipModule } from '../modules/gunzip/gunzip-module.ts';
import { gzipModule } from '../modules/gzip/gzip-module.ts';
import { gzipStaticModule } from '../modules/gzip-static/gzip-static-module.ts';
import { headersModule } from '../modules/headers/headers-module.ts';
import { healthCheckModule } from '../modules/health-check/health-check-module.ts';
import { httpCoreModule } from '../modules/http-core/http-core-module.ts';
import { http2Module } from '../modules/http2/http2-module.ts';
import { limitConnModule } from '../modules/limit-conn/limit-conn-module.ts';
import { limitReqModule } from '../modules/limit-req/limit-req-module.ts';
import { logModule } from '../modules/log/log-module.ts';
import { mapModule } from '../modules/map/map-module.ts';
import { mirrorModule } from '../modules/mirror/mirror-module.ts';
import { proxyModule } from '../modules/proxy/proxy.ts';
import { realIpModule } from '../modules/realip/realip-module.ts';
import { refererModule } from '../modules/referer/referer-module.ts';
import { resolverModule } from '../modules/resolver/resolver-module.ts';
import { rewriteModule } from '../modules/rewrite/rewrite-module.ts';
import { splitClientsModule } from '../modules/split-clients/split-clients-module.ts';
import { sslModule } from '../modules/ssl/ssl-module.ts';
import { lbStatusModule } from '../modules/status/lb-status.ts';
import { stubStatusModule } from '../modules/status/stub-status.ts';
import { subModule } from '../modules/sub/sub-module.ts';
import { tryFilesModule } from '../modules/try-files/try-files-module.ts';
import { upstreamModule } from '../modules/upstream/upstream-module.ts';

/**
 * The modules of http in the order in which their handlers run within a phase, header filters and log handlers alike.
 * `http-core` comes first: the content handler that it sets is what is left when no other module sets one.
 */
export const HTTP_MODULES: readonly AnyHttpModule[] = [
  httpCoreModule,
  autoindexModule,
  sslModule,
  http2Module,
  resolverModule,
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
  authRequestModule,
  tryFilesModule,
  brotliStaticModule,
  gzipStaticModule,
  mirrorModule,
  proxyModule,
  healthCheckModule,
  stubStatusModule,
  lbStatusModule,
  headersModule,
  gunzipModule,
  subModule,
  charsetModule,
  brotliModule,
  gzipModule,
  logModule,
];

/** Every module: all that a configuration may say. */
export const MODULES: readonly AnyConfModule[] = [coreModule, acceptedModule, ...HTTP_MODULES];
