import { DEFAULT_HTTP2, type Http2Settings } from '../../http/http2-settings.ts';

/** What the directives of HTTP/2 say in one scope. */
export type Http2Conf = { -readonly [Name in keyof Http2Settings]: Http2Settings[Name] };

export function http2Defaults(): Http2Conf {
  return { ...DEFAULT_HTTP2 };
}
