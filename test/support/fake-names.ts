/**
 * Loaded into the program before its own code (`node --import`): names below `.test` are what the file that EVENKEEL_FAKE_NAMES names
 * says at that moment, `{ "name.test": ["127.0.0.2"] }`. All others go to the system.
 */
import { promises } from 'node:dns';
import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';

const real = promises.lookup;

async function lookup(host: string, ...options: unknown[]): Promise<unknown> {
  if (!host.endsWith('.test')) return Reflect.apply(real, promises, [host, ...options]);
  const names = JSON.parse(readFileSync(process.env['EVENKEEL_FAKE_NAMES'] ?? '', 'utf8')) as Record<string, string[]>;
  const found = names[host] ?? [];
  if (found.length === 0) throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' });
  return found.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
}

Object.assign(promises, { lookup });
