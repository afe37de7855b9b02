/** The blocks a directive may stand in, as bits of a mask. */
export const MAIN = 1;
export const EVENTS = 2;
export const HTTP = 4;
export const SERVER = 8;
export const LOCATION = 16;
export const UPSTREAM = 32;
/** `if` in a server, `if` in a location. */
export const SERVER_IF = 64;
export const LOCATION_IF = 128;
export const LIMIT_EXCEPT = 256;
export const STREAM = 512;
export const STREAM_SERVER = 1024;
export const STREAM_UPSTREAM = 2048;

/** Mask of the contexts that nginx calls http, server, location. */
export const HTTP_SCOPES = HTTP | SERVER | LOCATION;

export type Context = number;

/** Names for people, in the order of the file. */
export const CONTEXT_NAMES: readonly (readonly [context: Context, name: string])[] = [
  [MAIN, 'main'],
  [EVENTS, 'events'],
  [HTTP, 'http'],
  [SERVER, 'server'],
  [LOCATION, 'location'],
  [UPSTREAM, 'upstream'],
  [SERVER_IF, 'if in server'],
  [LOCATION_IF, 'if in location'],
  [LIMIT_EXCEPT, 'limit_except'],
  [STREAM, 'stream'],
  [STREAM_SERVER, 'stream server'],
  [STREAM_UPSTREAM, 'stream upstream'],
];

/** The names of a mask's contexts. */
export function contextNames(contexts: Context): string[] {
  return CONTEXT_NAMES.filter(([context]) => (contexts & context) !== 0).map(([, name]) => name);
}
