import type { Exchange } from './exchange.ts';

/** Type of a response by the extension of `ex.uri` (`types`), else `default_type`. */
export function contentTypeOf(ex: Exchange): string {
  const core = ex.location.core;
  if (core.types.size > 0) {
    const uri = ex.uri;
    const dot = uri.lastIndexOf('.');
    // nginx takes no extension from a name that begins with its dot, nor does it look at the first two bytes.
    if (dot > 1 && uri.charCodeAt(dot - 1) !== 0x2f && uri.indexOf('/', dot) < 0) {
      const extension = uri.slice(dot + 1);
      const type = core.types.get(extension) ?? core.types.get(extension.toLowerCase());
      if (type !== undefined) return type;
    }
  }
  return core.defaultType;
}
