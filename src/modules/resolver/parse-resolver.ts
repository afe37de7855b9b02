import { ConfigError } from '../../config/diagnostic.ts';
import type { DirectiveUse } from '../../config/directive-spec.ts';
import { parseTimeSec } from '../../config/parse-value.ts';
import type { NameServers } from '../../upstream/name-servers.ts';
import { type PassTarget, parsePassTarget } from '../../upstream/pass-target.ts';
import { resolveHost } from '../http-core/resolve-host.ts';

const DNS_PORT = 53;

/** `resolver address … [valid=time] [ipv4=on|off] [ipv6=on|off] [status_zone=zone]`. */
export function parseResolver(use: DirectiveUse): NameServers {
  const servers: string[] = [];
  let validMs: number | null = null;
  let wantsIpv4 = true;
  let wantsIpv6 = true;
  for (const arg of use.args) {
    const [, name = '', value = ''] = /^(valid|ipv4|ipv6|status_zone)=(.*)$/s.exec(arg) ?? [];
    switch (name) {
      case 'valid': {
        const sec = parseTimeSec(value);
        if (sec === null) return use.fail(`invalid parameter: ${arg}`);
        validMs = sec * 1000;
        break;
      }
      case 'ipv4':
      case 'ipv6': {
        if (value !== 'on' && value !== 'off') return use.fail(`invalid parameter: ${arg}`);
        if (name === 'ipv4') wantsIpv4 = value === 'on';
        else wantsIpv6 = value === 'on';
        break;
      }
      case 'status_zone':
        if (value === '') return use.fail(`invalid parameter: ${arg}`);
        break;
      default:
        servers.push(...serverAddresses(arg, use));
    }
  }
  if (!wantsIpv4 && !wantsIpv6) return use.fail('"ipv4" and "ipv6" cannot both be "off"');
  if (servers.length === 0) return use.fail('no name servers defined');
  return Object.freeze({ servers, validMs, wantsIpv4, wantsIpv6 });
}

/** A server named by a name is looked up while the configuration is read, as in nginx. */
function serverAddresses(text: string, use: DirectiveUse): string[] {
  const target = readTarget(text, use);
  const { address } = target;
  if (address?.kind === 'unix') return use.fail(`unix domain sockets are not supported in resolver "${text}"`);
  const hosts = address === null ? resolveHost(target.host) : [address.host];
  if (hosts.length === 0) return use.fail(`host not found in resolver "${text}"`);
  return hosts.map((host) => (host.includes(':') ? `[${host}]:${target.port}` : `${host}:${target.port}`));
}

function readTarget(text: string, use: DirectiveUse): PassTarget {
  try {
    return parsePassTarget(text, DNS_PORT);
  } catch (error) {
    if (error instanceof ConfigError) return use.fail(`${error.message} in resolver "${text}"`);
    throw error;
  }
}
