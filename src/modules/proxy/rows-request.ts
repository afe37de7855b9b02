import { HTTP_SCOPES, LIMIT_EXCEPT, LOCATION, LOCATION_IF } from '../../config/contexts.ts';
import { ConfigError } from '../../config/diagnostic.ts';
import type { DirectiveSpec, DirectiveUse } from '../../config/directive-spec.ts';
import { oneOf, text, timeMs } from '../../config/values.ts';
import { parsePassTarget } from '../../upstream/pass-target.ts';
import { parseBindAddress } from './bind-address.ts';
import { locationPrefix } from './location-prefix.ts';
import type { ProxyConf } from './proxy-conf.ts';
import { behindScheme, defaultPort, hasVariables, type ProxyUrl, parseProxyUrl } from './proxy-url.ts';

type Row = DirectiveSpec<ProxyConf>;

const NO_URI_HERE =
  '"proxy_pass" cannot have URI part in location given by regular expression, or inside named location, or inside "if" statement, or inside "limit_except" block';

function readPass(use: DirectiveUse): string {
  const url = use.args[0] ?? '';
  if (hasVariables(url)) return url;
  const parsed = parseProxyUrl(url);
  checkAuthority(parsed);
  if (parsed.uri !== '' && locationPrefix(use.scope) === null) return use.fail(NO_URI_HERE);
  return url;
}

/** nginx's text quotes all that stands behind the scheme. */
function checkAuthority(url: ProxyUrl): void {
  try {
    parsePassTarget(url.authority, defaultPort(url));
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError(`${error.message} in upstream "${behindScheme(url)}"`);
    throw error;
  }
}

function readBind(use: DirectiveUse): string | null {
  const [address = '', second] = use.args;
  if (address === 'off' && second === undefined) return null;
  if (!hasVariables(address) && parseBindAddress(address) === null) return use.fail(`invalid address "${address}"`);
  if (second === 'transparent') return use.fail('"proxy_bind" parameter "transparent" is not supported');
  return second === undefined ? address : use.fail(`invalid parameter "${second}"`);
}

const VERSIONS = { '1.0': 10, '1.1': 11, '2': 20 } as const;

function readVersion(use: DirectiveUse): 10 | 11 | 20 {
  return VERSIONS[oneOf(['1.0', '1.1', '2'])(use)];
}

const onOff = (name: string, field: keyof ProxyConf, isOn: boolean, doc: string): Row => ({
  name,
  contexts: HTTP_SCOPES,
  args: 'flag',
  field,
  syntax: 'on | off',
  defaultText: isOn ? 'on' : 'off',
  doc,
});

const time = (name: string, field: keyof ProxyConf, doc: string, defaultText = '60s'): Row => ({
  name,
  contexts: HTTP_SCOPES,
  args: 1,
  field,
  parse: timeMs(),
  syntax: 'time',
  defaultText,
  doc,
});

/** Where a request goes and what of it. */
export const requestRows: readonly Row[] = [
  {
    name: 'proxy_pass',
    contexts: LOCATION | LOCATION_IF | LIMIT_EXCEPT,
    args: 1,
    field: 'pass',
    parse: readPass,
    inherit: 'none',
    syntax: 'URL',
    doc: 'Passes requests to an upstream, an address or a unix socket (`http://unix:/path:`). A URI behind it takes the place of the part that the location matched. May contain variables.',
  },
  {
    name: 'proxy_set_header',
    contexts: HTTP_SCOPES,
    args: 2,
    field: 'setHeaders',
    repeat: 'append',
    parse: (use) => [use.args[0] ?? '', use.args[1] ?? ''],
    syntax: 'field value',
    defaultText: 'Host $proxy_host',
    doc: 'Sets a field of the request to the peer, in place of the client’s own; an empty value removes it. Inherited as a whole.',
  },
  onOff(
    'proxy_pass_request_headers',
    'passRequestHeaders',
    true,
    'Whether the client’s header fields are passed to the peer.',
  ),
  onOff(
    'proxy_pass_request_body',
    'passRequestBody',
    true,
    'Whether the client’s body is passed to the peer. Without it no Content-Length is sent.',
  ),
  {
    name: 'proxy_method',
    contexts: HTTP_SCOPES,
    args: 1,
    field: 'method',
    parse: text,
    syntax: 'method',
    doc: 'Method of the request to the peer, in place of the client’s.',
  },
  {
    name: 'proxy_set_body',
    contexts: HTTP_SCOPES,
    args: 1,
    field: 'setBody',
    parse: text,
    syntax: 'value',
    doc: 'Body of the request to the peer, in place of the client’s.',
  },
  {
    name: 'proxy_http_version',
    contexts: HTTP_SCOPES,
    args: 1,
    field: 'httpVersion',
    parse: readVersion,
    syntax: '1.0 | 1.1 | 2',
    defaultText: '1.1',
    doc: 'Version of HTTP towards the peer. 2: by ALPN with `https://`, else with prior knowledge; with `keepalive` requests share connections.',
  },
  onOff(
    'proxy_request_buffering',
    'requestBuffering',
    true,
    'Whether the whole body of a request is read before a peer is chosen. With `off` it is passed on as it comes, and once some of it was sent no next peer is tried.',
  ),
  {
    name: 'proxy_bind',
    contexts: HTTP_SCOPES,
    args: [1, 2],
    field: 'bind',
    parse: readBind,
    syntax: 'address | off',
    doc: 'Local address that connections to the peer come from. May contain variables.',
  },
  onOff(
    'proxy_socket_keepalive',
    'socketKeepalive',
    false,
    'Whether the system checks idle connections to the peer (SO_KEEPALIVE).',
  ),
  time('proxy_connect_timeout', 'connectTimeoutMs', 'Longest time to connect to a peer.'),
  time('proxy_send_timeout', 'sendTimeoutMs', 'Longest silence between two writes to the peer.'),
  time('proxy_read_timeout', 'readTimeoutMs', 'Longest silence between two reads from the peer.'),
  onOff(
    'proxy_ignore_client_abort',
    'ignoreClientAbort',
    false,
    'Whether a request goes on at the peer when its client has gone away.',
  ),
];
