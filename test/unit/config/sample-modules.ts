import {
  EVENTS,
  HTTP,
  HTTP_SCOPES,
  LOCATION,
  LOCATION_IF,
  MAIN,
  SERVER,
  SERVER_IF,
  UPSTREAM,
} from '../../../src/config/contexts.ts';
import { ConfigError } from '../../../src/config/diagnostic.ts';
import { type AnyConfModule, type ConfModule, directive } from '../../../src/config/directive-spec.ts';
import { rawEntries } from '../../../src/config/raw-block.ts';
import {
  integer,
  type NumAndSize,
  numAndSize,
  oneOf,
  sizeBytes,
  timeMs,
  wordMask,
} from '../../../src/config/values.ts';

/** A few of nginx's directives with nginx's rules, enough to try the walk on; not the program's own modules. */

interface CoreConf {
  daemon: boolean;
  workers: number;
}

export const core: ConfModule<CoreConf> = {
  name: 'core',
  defaults: () => ({ daemon: true, workers: 1 }),
  rows: [
    { name: 'events', contexts: MAIN, args: 0, block: EVENTS, repeat: 'error', doc: 'Connection handling.' },
    { name: 'http', contexts: MAIN, args: 0, block: HTTP, repeat: 'error', doc: 'All of HTTP.' },
    { name: 'daemon', contexts: MAIN, args: 'flag', field: 'daemon', doc: 'Whether to go to the background.' },
    { name: 'worker_rlimit_nofile', contexts: MAIN, args: 1, field: 'workers', parse: integer(), doc: 'Files.' },
  ],
};

export interface HttpConf {
  sendfile: boolean;
  keepaliveTimeoutMs: number;
  headerBufferBytes: number;
  buffers: NumAndSize;
  nextUpstream: number;
  headers: string[];
  satisfy: 'all' | 'any';
  marked: string;
  names: readonly string[];
  typeLines: number;
}

export const http: ConfModule<HttpConf> = {
  name: 'http',
  defaults: () => ({
    sendfile: false,
    keepaliveTimeoutMs: 75_000,
    headerBufferBytes: 1024,
    buffers: { num: 8, sizeBytes: 4096 },
    nextUpstream: 3,
    headers: [],
    satisfy: 'all',
    marked: 'no',
    names: [],
    typeLines: 0,
  }),
  rows: [
    { name: 'server', contexts: HTTP, args: 0, block: SERVER, doc: 'A virtual server.' },
    { name: 'location', contexts: SERVER | LOCATION, args: [1, 2], block: LOCATION, doc: 'A part of the URI space.' },
    { name: 'if', contexts: SERVER, args: [1, Infinity], block: SERVER_IF, doc: 'A condition.' },
    { name: 'if', contexts: LOCATION, args: [1, Infinity], block: LOCATION_IF, doc: 'A condition.' },
    { name: 'sendfile', contexts: HTTP_SCOPES | LOCATION_IF, args: 'flag', field: 'sendfile', doc: 'sendfile(2).' },
    directive<HttpConf>({
      name: 'client_body_timeout',
      contexts: HTTP_SCOPES,
      args: 1,
      field: 'keepaliveTimeoutMs',
      parse: timeMs(),
      syntax: 'time',
      defaultText: '60s',
      doc: 'Longest pause between two reads of the body.',
    }),
    {
      name: 'client_header_buffer_size',
      contexts: HTTP | SERVER,
      args: 1,
      field: 'headerBufferBytes',
      parse: sizeBytes(),
      doc: 'Buffer.',
    },
    { name: 'proxy_buffers', contexts: HTTP_SCOPES, args: 2, field: 'buffers', parse: numAndSize, doc: 'Buffers.' },
    {
      name: 'proxy_next_upstream',
      contexts: HTTP_SCOPES,
      args: [1, Infinity],
      field: 'nextUpstream',
      parse: wordMask({ error: 1, timeout: 2, off: 4 }),
      doc: 'When to try the next one.',
    },
    {
      name: 'add_header',
      contexts: HTTP_SCOPES,
      args: [2, 3],
      field: 'headers',
      repeat: 'append',
      parse: (use) => `${use.args[0]}: ${use.args[1]}`,
      doc: 'A header.',
    },
    {
      name: 'satisfy',
      contexts: HTTP_SCOPES,
      args: 1,
      field: 'satisfy',
      parse: oneOf(['all', 'any']),
      syntax: 'all | any',
      doc: 'All or any.',
    },
    { name: 'mark', contexts: HTTP_SCOPES, args: 1, field: 'marked', inherit: 'none', doc: 'Not inherited.' },
    { name: 'server_name', contexts: SERVER, args: [1, Infinity], field: 'names', repeat: 'last', doc: 'Names.' },
    {
      name: 'types',
      contexts: HTTP_SCOPES,
      args: 0,
      block: 'raw',
      apply: (conf, use) => {
        conf.typeLines = rawEntries(use).length;
      },
      doc: 'MIME types.',
    },
  ],
  finish: (merged) => {
    if (merged.buffers.sizeBytes < merged.headerBufferBytes) throw new ConfigError('buffers are too small');
  },
};

export interface UpstreamConf {
  servers: string[];
  keepaliveTimeoutMs: number;
}

export const upstream: ConfModule<UpstreamConf> = {
  name: 'upstream',
  defaults: () => ({ servers: [], keepaliveTimeoutMs: 60_000 }),
  rows: [
    { name: 'upstream', contexts: HTTP, args: 1, block: UPSTREAM, doc: 'A group of peers.' },
    {
      name: 'server',
      contexts: UPSTREAM,
      args: [1, Infinity],
      field: 'servers',
      repeat: 'append',
      parse: (use) => use.args[0],
      doc: 'A peer.',
    },
  ],
  finish: (merged, _own, scope) => {
    if (scope.context === UPSTREAM && merged.servers.length === 0)
      throw new ConfigError('no servers are inside upstream');
  },
};

export const sampleModules: readonly AnyConfModule[] = [core, http, upstream];
