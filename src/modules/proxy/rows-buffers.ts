import { HTTP_SCOPES } from '../../config/contexts.ts';
import type { DirectiveSpec, DirectiveUse } from '../../config/directive-spec.ts';
import { parseInteger } from '../../config/parse-value.ts';
import { invalidValue, numAndSize, offBytes, oneOf, sizeBytes, text } from '../../config/values.ts';
import type { ProxyConf, TempPathConf } from './proxy-conf.ts';

type Row = DirectiveSpec<ProxyConf>;

/** Digits that one level of directories may have, all levels together no more than the name's ten. */
const MOST_DIGITS = 10;

function readTempPath(use: DirectiveUse): TempPathConf {
  const [path = '', ...rest] = use.args;
  const levels = rest.map((level) => parseInteger(level) ?? 0);
  if (path === '' || levels.includes(0) || levels.reduce((sum, level) => sum + level, 0) > MOST_DIGITS)
    invalidValue(use);
  return { path: path.length > 1 ? path.replace(/\/$/, '') : path, levels };
}

function readRate(use: DirectiveUse): string {
  const value = use.args[0] ?? '';
  if (!value.includes('$')) sizeBytes()(use);
  return value;
}

const size = (name: string, field: keyof ProxyConf, defaultText: string, doc: string): Row => ({
  name,
  contexts: HTTP_SCOPES,
  args: 1,
  field,
  parse: sizeBytes(),
  syntax: 'size',
  defaultText,
  doc,
});

/** What is kept in memory and on disk on the way. */
export const bufferRows: readonly Row[] = [
  {
    name: 'proxy_buffering',
    contexts: HTTP_SCOPES,
    args: 'flag',
    field: 'buffering',
    syntax: 'on | off',
    defaultText: 'on',
    doc: 'Whether a response is taken from the peer faster than a slow client takes it, into `proxy_buffers` and a temporary file; with `off` the peer waits for the client.',
  },
  size(
    'proxy_buffer_size',
    'bufferBytes',
    '4k',
    "Largest head of a peer's response; a larger one is an invalid response (502).",
  ),
  {
    name: 'proxy_buffers',
    contexts: HTTP_SCOPES,
    args: 2,
    field: 'buffers',
    parse: numAndSize,
    syntax: 'number size',
    defaultText: '8 4k',
    doc: 'Memory, number times size, for what a slow client has not taken yet of a response.',
  },
  size(
    'proxy_busy_buffers_size',
    'busyBuffersBytes',
    '8k',
    'Checked against `proxy_buffers`, as in nginx, and without effect: what is ready goes to the client at once.',
  ),
  {
    name: 'proxy_max_temp_file_size',
    contexts: HTTP_SCOPES,
    args: 1,
    field: 'maxTempFileBytes',
    parse: offBytes(),
    syntax: 'size',
    defaultText: '1024m',
    doc: 'Largest temporary file for what of a response does not fit into `proxy_buffers`; beyond it the peer waits. 0: no file.',
  },
  size(
    'proxy_temp_file_write_size',
    'tempFileWriteBytes',
    '8k',
    'Checked, as in nginx, and without effect: what does not fit into memory is written to the file as it comes.',
  ),
  {
    name: 'proxy_temp_path',
    contexts: HTTP_SCOPES,
    args: [1, 4],
    field: 'tempPath',
    parse: readTempPath,
    syntax: 'path [level1 [level2 [level3]]]',
    defaultText: 'proxy_temp 1 2',
    doc: 'Directory for temporary files of responses, with up to three levels of subdirectories.',
  },
  {
    name: 'proxy_limit_rate',
    contexts: HTTP_SCOPES,
    args: 1,
    field: 'limitRate',
    parse: readRate,
    syntax: 'rate',
    defaultText: '0',
    doc: 'Bytes per second that a response is read from its peer with; 0: no limit. Holds only with `proxy_buffering on`. May contain variables.',
  },
  {
    name: 'client_body_temp_path',
    contexts: HTTP_SCOPES,
    args: [1, 4],
    field: 'bodyTempPath',
    parse: readTempPath,
    syntax: 'path [level1 [level2 [level3]]]',
    defaultText: 'client_body_temp',
    doc: 'Directory for temporary files of request bodies, with up to three levels of subdirectories.',
  },
  {
    name: 'client_body_in_file_only',
    contexts: HTTP_SCOPES,
    args: 1,
    field: 'bodyInFileOnly',
    parse: oneOf(['on', 'clean', 'off']),
    syntax: 'on | clean | off',
    defaultText: 'off',
    doc: 'Puts every request body into a file: `on` leaves the file there, `clean` removes it after the request.',
  },
  {
    name: 'client_body_in_single_buffer',
    contexts: HTTP_SCOPES,
    args: 'flag',
    apply: () => undefined,
    syntax: 'on | off',
    defaultText: 'off',
    doc: 'No effect: a body in memory is in one piece anyway.',
  },
  {
    name: 'proxy_send_lowat',
    contexts: HTTP_SCOPES,
    args: 1,
    apply: (_own, use) => {
      if (text(use) !== '') sizeBytes()(use);
    },
    syntax: 'size',
    defaultText: '0',
    doc: 'No effect: Linux has no such setting for sending.',
  },
];
