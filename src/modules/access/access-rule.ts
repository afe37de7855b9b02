import type { DirectiveUse } from '../../config/directive-spec.ts';
import { clientBytes, isInNetwork, type Network, parseNetwork } from '../../http/network.ts';

/** One `allow` or `deny`. */
export interface AccessRule extends Network {
  readonly isDeny: boolean;
  /** Everybody, clients of unix sockets, or those of a network. */
  readonly whom: 'all' | 'unix' | 'network';
}

/** `all`, `unix:`, an address or a CIDR. */
export function parseAccessRule(use: DirectiveUse, isDeny: boolean): AccessRule {
  const [text = ''] = use.args;
  if (text === 'all') return { isDeny, whom: 'all', network: '', bits: 0 };
  if (text === 'unix:') return { isDeny, whom: 'unix', network: '', bits: 0 };
  const parsed = parseNetwork(text) ?? use.fail(`invalid parameter "${text}"`);
  if (parsed.hasLowBits) use.warn(`low address bits of ${text} are meaningless`);
  const { network, bits } = parsed;
  return { isDeny, whom: 'network', network, bits };
}

/** The first rule that fits; null: none does. `address`: the client's; null: it came by a unix socket. */
export function ruleFor(rules: readonly AccessRule[], address: string | null): AccessRule | null {
  const client = address === null ? null : clientBytes(address);
  for (const rule of rules) {
    if (
      rule.whom === 'all' ||
      (client === null ? rule.whom === 'unix' : rule.whom === 'network' && isInNetwork(client, rule))
    )
      return rule;
  }
  return null;
}
