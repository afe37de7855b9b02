import { statSync } from 'node:fs';
import { fullName } from '../../config/full-name.ts';
import { respondStatus } from '../../http/error-response.ts';
import type { Exchange } from '../../http/exchange.ts';
import { DONE, type PhaseHandler } from '../../http/location.ts';
import type { HttpCoreConf } from './http-core-conf.ts';

/**
 * Content of a location in which nothing else answers. Files are not served yet, so it says what nginx says of a missing one:
 * 404, 403 for an existing directory without an index, 405 for methods that files have not.
 */
export function missingFile(conf: HttpCoreConf, prefix: string): PhaseHandler {
  const root = fullName(prefix, conf.root);
  return (ex) => {
    const { method } = ex.request;
    if (method !== 'GET' && method !== 'HEAD' && method !== 'POST' && !ex.uri.endsWith('/')) {
      respondStatus(ex, 405);
      return DONE;
    }
    const path = pathOf(conf, root, ex);
    if (ex.uri.endsWith('/') && isDirectory(path)) {
      ex.location.errorLog.write('error', ex, `directory index of "${path}" is forbidden`);
      respondStatus(ex, 403);
      return DONE;
    }
    if (conf.logNotFound) ex.location.errorLog.write('error', ex, notFoundText(conf, ex.uri, path));
    respondStatus(ex, 404);
    return DONE;
  };
}

function pathOf(conf: HttpCoreConf, root: string, ex: Exchange): string {
  return conf.isAlias ? root + ex.uri.slice(conf.location?.name.length ?? 0) : root + ex.uri;
}

function notFoundText(conf: HttpCoreConf, uri: string, path: string): string {
  if (uri.endsWith('/')) return `"${path}${conf.index[0] ?? ''}" is not found (2: No such file or directory)`;
  return `open() "${path}" failed (2: No such file or directory)`;
}

function isDirectory(path: string): boolean {
  return statSync(Buffer.from(path, 'latin1'), { throwIfNoEntry: false })?.isDirectory() ?? false;
}
