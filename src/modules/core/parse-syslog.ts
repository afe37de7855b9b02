import { isIPv6 } from 'node:net';
import { ConfigError } from '../../config/diagnostic.ts';
import type { DirectiveUse } from '../../config/directive-spec.ts';
import {
  FACILITIES,
  SEVERITIES,
  type SyslogAddress,
  type SyslogSettings,
} from '../../observe/syslog/syslog-settings.ts';
import { whyNoUnixDatagrams } from '../../observe/syslog/unix-datagram.ts';
import { type PassTarget, parsePassTarget } from '../../upstream/pass-target.ts';
import { resolveHost } from '../http-core/resolve-host.ts';

const PREFIX = 'syslog:';
const DEFAULT_PORT = 514;
const LONGEST_TAG = 32;

/** A log's target is a syslog server. */
export function isSyslog(target: string): boolean {
  return target.startsWith(PREFIX);
}

/** `syslog:server=address[,facility=…][,severity=…][,tag=…][,nohostname]`. */
export function parseSyslog(use: DirectiveUse, target: string): SyslogSettings {
  let address: SyslogAddress | null = null;
  let facility: number | null = null;
  let severity: number | null = null;
  let tag: string | null = null;
  let hasHostname = true;
  const once = (name: string, known: unknown): void => {
    if (known !== null) use.fail(`duplicate syslog "${name}"`);
  };
  for (const parameter of target.slice(PREFIX.length).split(',')) {
    const at = parameter.indexOf('=') + 1;
    const value = parameter.slice(at);
    switch (parameter.slice(0, at)) {
      case 'server=':
        once('server', address);
        address = parseServer(use, value);
        break;
      case 'facility=':
        once('facility', facility);
        facility = numberOf(FACILITIES, value) ?? use.fail(`unknown syslog facility "${value}"`);
        break;
      case 'severity=':
        once('severity', severity);
        severity = numberOf(SEVERITIES, value) ?? use.fail(`unknown syslog severity "${value}"`);
        break;
      case 'tag=':
        once('tag', tag);
        tag = checkedTag(use, value);
        break;
      default:
        if (parameter !== 'nohostname') use.fail(`unknown syslog parameter "${parameter}"`);
        hasHostname = false;
    }
  }
  if (address === null) return use.fail('no syslog server specified');
  return {
    address,
    facility: facility ?? FACILITIES.indexOf('local7'),
    severity: severity ?? SEVERITIES.indexOf('info'),
    tag: tag ?? 'nginx',
    hasHostname,
  };
}

function numberOf(names: readonly string[], name: string): number | null {
  const number = names.indexOf(name);
  return number < 0 ? null : number;
}

/** RFC 3164 section 5.3. */
function checkedTag(use: DirectiveUse, tag: string): string {
  if (tag.length > LONGEST_TAG) use.fail(`syslog tag length exceeds ${LONGEST_TAG}`);
  if (/\W/.test(tag)) use.fail('syslog "tag" only allows alphanumeric characters and underscore');
  return tag;
}

function parseServer(use: DirectiveUse, text: string): SyslogAddress {
  const { address, host, port } = taken(use, text);
  if (address?.kind === 'unix') {
    const why = whyNoUnixDatagrams();
    if (why !== null) use.fail(`"${text}" cannot be logged to: ${why}; let the log server listen on UDP and name that`);
    return address;
  }
  if (address !== null) return { ...address, kind: 'udp' };
  const [found = ''] = resolveHost(host);
  if (found === '') use.fail(`host not found in syslog server "${text}"`);
  return { kind: 'udp', host: found, port, family: isIPv6(found) ? 6 : 4 };
}

function taken(use: DirectiveUse, text: string): PassTarget {
  try {
    return parsePassTarget(text, DEFAULT_PORT);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return use.fail(`${error.message} in syslog server "${text}"`);
  }
}
