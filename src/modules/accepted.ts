/**
 * The directives of nginx that are taken and change nothing here, each with the reason. Their form is checked all the same,
 * so that a mistake is found as nginx would find it.
 */
import {
  EVENTS,
  HTTP,
  HTTP_SCOPES,
  LOCATION,
  LOCATION_IF,
  MAIN,
  SERVER,
  STREAM,
  STREAM_SERVER,
} from '../config/contexts.ts';
import type { ArgCount, ConfModule, DirectiveSpec } from '../config/directive-spec.ts';
import { parseInteger, parseTimeSec } from '../config/parse-value.ts';
import {
  flag,
  integer,
  invalidValue,
  numAndSize,
  offBytes,
  oneOf,
  orOff,
  sizeBytes,
  text,
  texts,
  timeMs,
  timeSec,
  type ValueParser,
} from '../config/values.ts';
import { poolSize } from './http-core/pool-size.ts';

type AcceptedRow = DirectiveSpec<object>;

interface Form {
  readonly contexts: number;
  readonly args: ArgCount;
  readonly syntax: string;
  readonly check: ValueParser<unknown>;
  /** True when nginx lets it stand more than once in a block. */
  readonly isRepeatable?: boolean;
}

/** Directives of one form and one reason. */
function accepted(names: string, form: Form, reason: string): AcceptedRow[] {
  return names.split(' ').map((name) => ({
    name,
    contexts: form.contexts,
    args: form.args,
    syntax: form.syntax,
    repeat: form.isRepeatable === true ? 'last' : 'error',
    apply: (_conf, use) => {
      form.check(use);
    },
    doc: `No effect: ${reason}`,
  }));
}

const onOff = (contexts: number): Form => ({ contexts, args: 'flag', syntax: 'on | off', check: flag });
const number = (contexts: number): Form => ({ contexts, args: 1, syntax: 'number', check: integer() });
const size = (contexts: number): Form => ({ contexts, args: 1, syntax: 'size', check: sizeBytes() });
const time = (contexts: number): Form => ({ contexts, args: 1, syntax: 'time', check: timeMs() });
const word = (contexts: number, syntax: string): Form => ({ contexts, args: 1, syntax, check: text });

const eventMethod: ValueParser<string> = (use) =>
  use.args[0] === 'epoll' ? 'epoll' : use.fail(`invalid event type "${use.args[0]}"`);

const aio: ValueParser<string> = (use) => {
  const method = text(use);
  return /^(on|off|threads(=.*)?)$/s.test(method) ? method : invalidValue(use);
};

const affinity: ValueParser<null> = (use) => {
  const masks = use.args[0] === 'auto' ? use.args.slice(1) : use.args;
  for (const mask of masks) {
    const wrong = /[^01 ]/.exec(mask);
    if (wrong !== null) return use.fail(`invalid character "${wrong[0]}" in "worker_cpu_affinity"`);
  }
  return null;
};

const priority: ValueParser<number> = (use) =>
  parseInteger(text(use).replace(/^[-+]/, '')) ?? use.fail(`"${use.name}" directive invalid number`);

const threadPool: ValueParser<null> = (use) => {
  let hasThreads = false;
  for (const parameter of use.args.slice(1)) {
    const [name = '', value = ''] = split(parameter);
    if (name !== 'threads' && name !== 'max_queue') continue;
    const count = parseInteger(value);
    if (count === null || (name === 'threads' && count === 0)) use.fail(`invalid ${name} value "${parameter}"`);
    hasThreads ||= name === 'threads';
  }
  return hasThreads ? null : use.fail('"thread_pool" must have "threads" parameter');
};

/** `off`, or `max=N [inactive=time]`. */
const fileCache: ValueParser<null> = (use) => {
  if (use.args.length === 1 && use.args[0] === 'off') return null;
  let hasMax = false;
  for (const parameter of use.args) {
    const [name = '', value = ''] = split(parameter);
    const isRight =
      name === 'max' ? (parseInteger(value) ?? 0) > 0 : name === 'inactive' && parseTimeSec(value) !== null;
    if (!isRight) use.fail(`invalid "${use.name}" parameter "${parameter}"`);
    hasMax ||= name === 'max';
  }
  return hasMax ? null : use.fail(`"${use.name}" must have the "max" parameter`);
};

function split(parameter: string): [name: string, value: string] {
  const at = parameter.indexOf('=');
  return at === -1 ? [parameter, ''] : [parameter.slice(0, at), parameter.slice(at + 1)];
}

const loadModule: ValueParser<null> = (use) => {
  use.warn(`"load_module" is ignored, all modules are built in: "${text(use)}"`);
  return null;
};

const NO_SENDFILE = 'bytes of sockets and files go through memory, no file is handed to the kernel.';
const PAGE_CACHE = 'files are opened for each request and read through the page cache of the system.';
const NODE_LOOP = 'the event loop is libuv, which uses epoll and chooses for itself.';
const NODE_POOL = 'file work runs in the thread pool of libuv (environment variable UV_THREADPOOL_SIZE).';
const MAPS_GROW = 'hash tables are JavaScript maps and grow by themselves.';
const HEAP = 'memory comes from the JavaScript heap, not from pools of a request or a connection.';
const SCHED = 'Node has no call for it; taskset(1), nice(1) or the container does it.';
const ACCEPT = 'every worker accepts by itself, there is no lock to take turns with.';

export const acceptedModule: ConfModule<object> = {
  name: 'accepted',
  defaults: () => ({}),
  rows: [
    ...accepted('use', { contexts: EVENTS, args: 1, syntax: 'epoll', check: eventMethod }, NODE_LOOP),
    ...accepted('multi_accept', onOff(EVENTS), NODE_LOOP),
    ...accepted('worker_aio_requests epoll_events', number(EVENTS), NODE_LOOP),
    ...accepted('accept_mutex', onOff(EVENTS), ACCEPT),
    ...accepted('accept_mutex_delay', time(EVENTS), ACCEPT),
    ...accepted(
      'debug_connection',
      { ...word(EVENTS, 'address | CIDR | unix:'), isRepeatable: true },
      'the level of `error_log` holds for all connections.',
    ),

    ...accepted('lock_file', word(MAIN, 'file'), ACCEPT),
    ...accepted('timer_resolution', time(MAIN), 'the clock is read once per turn of the event loop anyway.'),
    ...accepted('pcre_jit', onOff(MAIN), 'regexes are compiled by V8, which decides by itself.'),
    ...accepted('worker_priority', { contexts: MAIN, args: 1, syntax: 'number', check: priority }, SCHED),
    ...accepted(
      'worker_cpu_affinity',
      { contexts: MAIN, args: [1, Infinity], syntax: 'cpumask … | auto [cpumask]', check: affinity },
      SCHED,
    ),
    ...accepted(
      'thread_pool',
      {
        contexts: MAIN,
        args: [2, 3],
        syntax: 'name threads=number [max_queue=number]',
        check: threadPool,
        isRepeatable: true,
      },
      NODE_POOL,
    ),
    ...accepted('working_directory', word(MAIN, 'directory'), 'core files go where the system puts them.'),
    ...accepted('worker_rlimit_core', { ...size(MAIN), check: offBytes() }, 'set it with ulimit or in the container.'),
    ...accepted(
      'debug_points',
      { contexts: MAIN, args: 1, syntax: 'abort | stop', check: oneOf(['abort', 'stop']) },
      'there are no debug points.',
    ),
    ...accepted('ssl_engine', word(MAIN, 'device'), 'TLS is that of Node, which has no engines.'),
    ...accepted(
      'load_module',
      { contexts: MAIN, args: 1, syntax: 'file', check: loadModule, isRepeatable: true },
      'all modules are built in; a warning says so.',
    ),

    ...accepted('sendfile', onOff(HTTP_SCOPES | LOCATION_IF), NO_SENDFILE),
    ...accepted('sendfile_max_chunk', size(HTTP_SCOPES), NO_SENDFILE),
    ...accepted('tcp_nopush', onOff(HTTP_SCOPES), 'head and body leave in one write.'),
    ...accepted(
      'tcp_nodelay',
      onOff(HTTP_SCOPES | STREAM | STREAM_SERVER),
      'small writes never wait for an acknowledgement (TCP_NODELAY) on connections that are kept.',
    ),
    ...accepted('send_lowat', size(HTTP_SCOPES), 'Linux has no such setting for sending.'),
    ...accepted('postpone_output', size(HTTP_SCOPES), 'what is ready is written at once, head and body together.'),
    ...accepted(
      'output_buffers',
      { contexts: HTTP_SCOPES, args: 2, syntax: 'number size', check: numAndSize },
      PAGE_CACHE,
    ),
    ...accepted('aio', { contexts: HTTP_SCOPES, args: 1, syntax: 'on | off | threads[=pool]', check: aio }, NODE_POOL),
    ...accepted('aio_write', onOff(HTTP_SCOPES), NODE_POOL),
    ...accepted(
      'directio',
      { contexts: HTTP_SCOPES, args: 1, syntax: 'size | off', check: orOff(offBytes(), null) },
      PAGE_CACHE,
    ),
    ...accepted('directio_alignment', { ...size(HTTP_SCOPES), check: offBytes() }, PAGE_CACHE),
    ...accepted('read_ahead', size(HTTP_SCOPES), PAGE_CACHE),
    ...accepted(
      'open_file_cache',
      {
        contexts: HTTP_SCOPES,
        args: [1, 2],
        syntax: 'off | max=N [inactive=time]',
        check: fileCache,
      },
      PAGE_CACHE,
    ),
    ...accepted('open_file_cache_valid', { ...time(HTTP_SCOPES), check: timeSec() }, PAGE_CACHE),
    ...accepted('open_file_cache_min_uses', number(HTTP_SCOPES), PAGE_CACHE),
    ...accepted('open_file_cache_errors open_file_cache_events', onOff(HTTP_SCOPES), PAGE_CACHE),
    ...accepted('msie_refresh', onOff(HTTP_SCOPES), 'those browsers are gone.'),
    ...accepted(
      'subrequest_output_buffer_size',
      size(HTTP_SCOPES),
      'there are no subrequests that are kept in memory.',
    ),

    ...accepted('request_pool_size', { ...size(HTTP | SERVER), check: poolSize }, HEAP),
    ...accepted('server_names_hash_max_size server_names_hash_bucket_size', number(HTTP | STREAM), MAPS_GROW),
    ...accepted('variables_hash_max_size variables_hash_bucket_size', number(HTTP | STREAM), MAPS_GROW),
    ...accepted('map_hash_max_size map_hash_bucket_size', number(HTTP | STREAM), MAPS_GROW),
    ...accepted('types_hash_max_size types_hash_bucket_size', number(HTTP_SCOPES), MAPS_GROW),
    ...accepted('proxy_headers_hash_max_size proxy_headers_hash_bucket_size', number(HTTP_SCOPES), MAPS_GROW),
    ...accepted('referer_hash_max_size referer_hash_bucket_size', number(SERVER | LOCATION), MAPS_GROW),

    ...accepted(
      'fastcgi_temp_path uwsgi_temp_path scgi_temp_path',
      { contexts: HTTP_SCOPES, args: [1, 4], syntax: 'path [level1 [level2 [level3]]]', check: texts },
      'these protocols are not spoken here; containers set the paths all the same.',
    ),
  ],
};
