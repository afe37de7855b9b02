import type { DirectiveUse } from '../../config/directive-spec.ts';
import { parseInteger, parseSizeBytes, parseTimeSec } from '../../config/parse-value.ts';
import { addressText, parseListenAddress } from './listen-address.ts';
import type { ListenConf } from './listen-conf.ts';

/** nginx's on Linux. */
export const DEFAULT_BACKLOG = 511;

/** nginx knows them; here they are still to come. */
const LATER = ['quic'];

interface Options {
  backlog: number;
  isIpv6Only: boolean;
  isReusePort: boolean;
  isDefault: boolean;
  /** Any option of the socket, `bind` included. */
  hasOptions: boolean;
  hasProxyProtocol: boolean;
  isTls: boolean;
  hasHttp2: boolean;
}

/** `listen address[:port] [parameter …]`: one conf per address that it names. */
export function parseListen(use: DirectiveUse): readonly ListenConf[] {
  const [text = '', ...parameters] = use.args;
  const addresses = parseListenAddress(text, use);
  const options: Options = {
    backlog: DEFAULT_BACKLOG,
    isIpv6Only: true,
    isReusePort: false,
    isDefault: false,
    hasOptions: false,
    hasProxyProtocol: false,
    isTls: false,
    hasHttp2: false,
  };
  for (const parameter of parameters) readParameter(parameter, options, use);
  return addresses.map((address) => ({
    address: {
      text: addressText(address),
      family: address.family,
      host: address.host,
      port: address.port,
      path: address.path,
      backlog: options.backlog,
      isIpv6Only: options.isIpv6Only,
      isReusePort: options.isReusePort && address.family !== 'unix',
    },
    isWildcard: address.isWildcard,
    isDefault: options.isDefault,
    hasOptions: options.hasOptions,
    isBind: options.hasOptions,
    hasProxyProtocol: options.hasProxyProtocol,
    isTls: options.isTls,
    hasHttp2: options.hasHttp2,
    pos: use.pos,
  }));
}

function readParameter(parameter: string, options: Options, use: DirectiveUse): void {
  const equals = parameter.indexOf('=');
  const name = equals < 0 ? parameter : parameter.slice(0, equals);
  const value = equals < 0 ? null : parameter.slice(equals + 1);
  if (value === null) readWord(name, options, use);
  else readSetting(name, value, parameter, options, use);
}

function readWord(word: string, options: Options, use: DirectiveUse): void {
  switch (word) {
    case 'default_server':
    case 'default':
      options.isDefault = true;
      return;
    case 'proxy_protocol':
      options.hasProxyProtocol = true;
      return;
    case 'ssl':
      options.isTls = true;
      return;
    case 'http2':
      use.warn('the "listen ... http2" directive is deprecated, use the "http2" directive instead');
      options.hasHttp2 = true;
      return;
    case 'bind':
    case 'deferred':
      options.hasOptions = true;
      return;
    case 'reuseport':
      options.isReusePort = true;
      options.hasOptions = true;
      return;
    default:
      use.fail(
        LATER.includes(word)
          ? `the "${word}" parameter of the "listen" directive is not supported yet`
          : `invalid parameter "${word}"`,
      );
  }
}

function readSetting(name: string, value: string, parameter: string, options: Options, use: DirectiveUse): void {
  switch (name) {
    case 'backlog':
      options.backlog = parseInteger(value) || use.fail(`invalid backlog "${parameter}"`);
      break;
    case 'ipv6only':
      if (value !== 'on' && value !== 'off') use.fail(`invalid parameter "${parameter}"`);
      options.isIpv6Only = value === 'on';
      break;
    case 'rcvbuf':
    case 'sndbuf':
      // Checked, not applied: Node sets neither on a listening socket.
      if (parseSizeBytes(value) === null) use.fail(`invalid ${name} "${parameter}"`);
      break;
    case 'fastopen':
      if (parseInteger(value) === null) use.fail(`invalid fastopen "${parameter}"`);
      break;
    case 'so_keepalive':
      if (!isKeepalive(value)) use.fail(`invalid so_keepalive value: "${value}"`);
      break;
    case 'accept_filter':
      use.warn(`accept filters "${parameter}" are not supported on this platform, ignored`);
      return;
    default:
      use.fail(`invalid parameter "${parameter}"`);
  }
  options.hasOptions = true;
}

/** `on`, `off`, or `idle:interval:count` with at least one of them. */
function isKeepalive(value: string): boolean {
  if (value === 'on' || value === 'off') return true;
  const parts = value.split(':');
  if (parts.length > 3 || parts.every((part) => part === '')) return false;
  const [idle = '', interval = '', count = ''] = parts;
  const isTime = (part: string): boolean => part === '' || (parseTimeSec(part) ?? 0) > 0;
  return isTime(idle) && isTime(interval) && (count === '' || (parseInteger(count) ?? 0) > 0);
}
