import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';

/**
 * Addresses of a name in a `listen`, now: nginx resolves them while it reads the configuration, and Node has no call that waits.
 * From /etc/hosts, else as the system resolves names (getent). Empty: not found.
 */
export function resolveHost(name: string): string[] {
  const known = fromHostsFile(name);
  if (known.length > 0) return known;
  if (name.startsWith('-')) return [];
  const asked = spawnSync('getent', ['ahosts', '--', name], { encoding: 'latin1', timeout: 10_000 });
  const addresses = (asked.stdout ?? '').split('\n').map((line) => line.split(/\s/)[0] ?? '');
  return unique(addresses.filter((address) => isIP(address) !== 0));
}

/** IPv4 first: where a name has both, nginx has them in getaddrinfo's order, which begins so on most machines. */
function fromHostsFile(name: string): string[] {
  let text: string;
  try {
    text = readFileSync('/etc/hosts', 'latin1');
  } catch {
    return []; // a machine without it: the resolver is asked
  }
  const found: string[] = [];
  for (const line of text.split('\n')) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (isIP(address) !== 0 && names.some((known) => known.toLowerCase() === name.toLowerCase())) found.push(address);
  }
  return unique(found).sort((a, b) => isIP(a) - isIP(b));
}

function unique(addresses: readonly string[]): string[] {
  return [...new Set(addresses)];
}
