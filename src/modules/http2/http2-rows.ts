import { HTTP, HTTP_SCOPES, SERVER } from '../../config/contexts.ts';
import type { ArgCount, DirectiveSpec, DirectiveUse } from '../../config/directive-spec.ts';
import { integer, sizeBytes } from '../../config/values.ts';
import { poolSize } from '../http-core/pool-size.ts';
import type { Http2Conf } from './http2-conf.ts';

type Row = DirectiveSpec<Http2Conf>;

const CONTEXTS = HTTP | SERVER;
/** RFC 9113 section 6.9.1. */
const LARGEST_WINDOW = 2 ** 31 - 1;
/** nginx's buffer for a frame that is not whole. */
const STATE_BUFFER_BYTES = 16;

function prereadBytes(use: DirectiveUse): number {
  const bytes = sizeBytes()(use);
  return bytes <= LARGEST_WINDOW ? bytes : use.fail(`the maximum body preread buffer size is ${LARGEST_WINDOW}`);
}

function chunkBytes(use: DirectiveUse): void {
  if (sizeBytes()(use) === 0) use.fail('the http2 chunk size cannot be zero');
}

function receiveBufferBytes(use: DirectiveUse): void {
  if (sizeBytes()(use) <= STATE_BUFFER_BYTES) use.fail(`"${use.name}" directive value is too small`);
}

function indexSize(use: DirectiveUse): void {
  const size = integer()(use);
  if (size === 0 || (size & (size - 1)) !== 0) use.fail(`"${use.name}" directive must be a power of two`);
}

/** Checked and without effect. */
function idle(name: string, contexts: number, syntax: string, check: (use: DirectiveUse) => void, reason: string): Row {
  return {
    name,
    contexts,
    args: 1,
    repeat: 'error',
    syntax,
    apply: (_own, use) => check(use),
    doc: `No effect: ${reason}`,
  };
}

/** Obsolete in nginx as well, which says so and goes on. `successor`: the directive that holds instead; '' = none. */
function obsolete(name: string, contexts: number, args: ArgCount, syntax: string, successor: string): Row {
  const words = successor === '' ? 'ignored' : `use the "${successor}" directive instead`;
  return {
    name,
    contexts,
    args,
    syntax,
    apply: (_own, use) => use.warn(`the "${name}" directive is obsolete, ${words}`),
    doc:
      successor === '' ? 'No effect, with a warning: obsolete.' : `No effect, with a warning: \`${successor}\` holds.`,
  };
}

const FRAMES = 'frames are made and read by nghttp2, which has its own buffers.';

export const http2Rows: readonly Row[] = [
  {
    name: 'http2',
    contexts: CONTEXTS,
    args: 'flag',
    field: 'isOn',
    syntax: 'on | off',
    defaultText: 'off',
    doc: 'HTTP/2 from clients: by ALPN where the server is TLS, else for connections that begin with the preface of HTTP/2; HTTP/1.1 goes on at the same address.',
  },
  {
    name: 'http2_max_concurrent_streams',
    contexts: CONTEXTS,
    args: 1,
    field: 'maxConcurrentStreams',
    parse: integer(),
    syntax: 'number',
    defaultText: '128',
    doc: 'Requests that one HTTP/2 connection may have under way.',
  },
  {
    name: 'http2_body_preread_size',
    contexts: CONTEXTS,
    args: 1,
    field: 'bodyPrereadBytes',
    parse: prereadBytes,
    syntax: 'size',
    defaultText: '64k',
    doc: "So much of a request's body an HTTP/2 client may send ahead of its reader (the window of a stream); at least 4 KB.",
  },
  {
    name: 'http2_max_resets_per_second',
    contexts: CONTEXTS,
    args: 1,
    field: 'maxResetsPerSec',
    parse: integer(),
    syntax: 'number',
    defaultText: '200',
    doc: 'An HTTP/2 client that makes more requests end in a reset loses its connection, with a line in the log; `0`: no limit. Ours.',
  },
  {
    name: 'http2_max_control_frames_per_second',
    contexts: CONTEXTS,
    args: 1,
    field: 'maxControlFramesPerSec',
    parse: integer(),
    syntax: 'number',
    defaultText: '1000',
    doc: 'An HTTP/2 client that sends more PING, SETTINGS and other frames that belong to no message loses its connection, with a line in the log; `0`: no limit. Ours.',
  },
  idle(
    'http2_chunk_size',
    HTTP_SCOPES,
    'size',
    chunkBytes,
    'a DATA frame is as large as client and window allow, up to 16 KB.',
  ),
  idle('http2_recv_buffer_size', HTTP, 'size', receiveBufferBytes, FRAMES),
  idle('http2_pool_size', CONTEXTS, 'size', poolSize, 'memory comes from the JavaScript heap.'),
  idle('http2_streams_index_size', CONTEXTS, 'number', indexSize, FRAMES),
  obsolete('http2_max_concurrent_pushes', CONTEXTS, 1, 'number', ''),
  obsolete('http2_push', HTTP_SCOPES, 1, 'uri | off', ''),
  obsolete('http2_push_preload', HTTP_SCOPES, 'flag', 'on | off', ''),
  obsolete('http2_max_requests', CONTEXTS, 1, 'number', 'keepalive_requests'),
  obsolete('http2_max_field_size', CONTEXTS, 1, 'size', 'large_client_header_buffers'),
  obsolete('http2_max_header_size', CONTEXTS, 1, 'size', 'large_client_header_buffers'),
  obsolete('http2_recv_timeout', CONTEXTS, 1, 'time', 'client_header_timeout'),
  obsolete('http2_idle_timeout', CONTEXTS, 1, 'time', 'keepalive_timeout'),
];
