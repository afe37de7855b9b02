import type { Exchange } from '../../http/exchange.ts';
import { internalRedirect, namedLocation } from '../../http/phases.ts';
import { type NamedUri, parseUnsafeUri } from '../../http/unsafe-uri.ts';

/** Where X-Accel-Redirect leads: a URI, or `@name`; null when the URI is unsafe. */
export function accelTarget(text: string): NamedUri | null {
  return text.startsWith('@') ? { uri: text, args: '' } : parseUnsafeUri(text);
}

/** The answer comes from another location of this server, by GET. */
export function followAccelRedirect(ex: Exchange, { uri, args }: NamedUri): void {
  if (ex.request.method !== 'HEAD') ex.request.method = 'GET';
  if (uri.startsWith('@')) namedLocation(ex, uri);
  else internalRedirect(ex, uri, args);
}
