import { respondStatus } from '../../http/error-response.ts';
import type { Exchange } from '../../http/exchange.ts';
import { parseTarget } from '../../http/normalize-uri.ts';
import { internalRedirect, namedLocation } from '../../http/phases.ts';

/** X-Accel-Redirect: the answer comes from another location of this server, by GET. */
export function followAccelRedirect(ex: Exchange, uri: string): void {
  if (ex.request.method !== 'HEAD') ex.request.method = 'GET';
  if (uri.startsWith('@')) {
    namedLocation(ex, uri);
    return;
  }
  const target = parseTarget(uri, ex.server.settings.mergeSlashes);
  if (target === null) {
    ex.location.errorLog.write('error', ex, `unsafe URI "${uri}" was detected`);
    respondStatus(ex, 404);
    return;
  }
  internalRedirect(ex, target.uri, target.args);
}
