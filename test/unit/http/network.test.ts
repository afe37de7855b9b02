import { describe, expect, test } from 'vitest';
import { forwardedAddress } from '../../../src/http/forwarded-address.ts';
import { isInNetwork, type Network, parseNetwork } from '../../../src/http/network.ts';
import { addressBytes } from '../../../src/http/variables/address-bytes.ts';

function network(text: string): Network {
  const parsed = parseNetwork(text);
  if (parsed === null) throw new Error(`${text} is no network`);
  return parsed;
}

describe('networks', () => {
  test.each([
    ['10.0.0.0/8', 8, false],
    ['10.0.0.1/8', 8, true],
    ['10.0.0.1', 32, false],
    ['0.0.0.0/0', 0, false],
    ['2001:db8::/32', 32, false],
    ['2001:db8::1/32', 32, true],
    ['::1', 128, false],
  ])('%s', (text, bits, hasLowBits) => {
    expect(parseNetwork(text)).toMatchObject({ bits, hasLowBits });
  });

  test.each(['', '10.0.0.0/33', '10.0.0.0/', '10.0.0', '::1/129', '::1%lo', 'example.com', '255.255.255.255'])(
    '%j is none',
    (text) => {
      expect(parseNetwork(text)).toBeNull();
    },
  );

  test.each([
    ['10.9.8.7', '10.0.0.0/8', true],
    ['11.9.8.7', '10.0.0.0/8', false],
    ['10.0.0.127', '10.0.0.0/25', true],
    ['10.0.0.128', '10.0.0.0/25', false],
    ['1.2.3.4', '0.0.0.0/0', true],
    ['::1', '0.0.0.0/0', false],
    ['2001:db8:7fff::', '2001:db8::/33', true],
    ['2001:db8:8000::', '2001:db8::/33', false],
  ])('%s in %s: %s', (address, text, isInside) => {
    expect(isInNetwork(addressBytes(address), network(text))).toBe(isInside);
  });
});

describe('who speaks through proxies', () => {
  const trusted = { networks: ['10.0.0.0/8', '::1'].map(network), trustsUnix: false };
  const speaks = (address: string, fields: string[], isRecursive: boolean): string =>
    forwardedAddress(address, fields, trusted, isRecursive)?.address ?? address;
  const rows: [string, string, string[], string, string][] = [
    // speaker, X-Forwarded-For, not recursive, recursive
    ['nobody is trusted', '192.0.2.1', ['1.1.1.1'], '192.0.2.1', '192.0.2.1'],
    ['nothing was said', '10.0.0.1', [], '10.0.0.1', '10.0.0.1'],
    ['one address', '10.0.0.1', ['1.1.1.1'], '1.1.1.1', '1.1.1.1'],
    ['the last of several', '10.0.0.1', ['1.1.1.1, 2.2.2.2'], '2.2.2.2', '2.2.2.2'],
    ['through another proxy', '10.0.0.1', ['1.1.1.1, 10.0.0.2'], '10.0.0.2', '1.1.1.1'],
    ['proxies only', '10.0.0.1', ['10.0.0.3, 10.0.0.2'], '10.0.0.2', '10.0.0.3'],
    ['nonsense', '10.0.0.1', ['1.1.1.1, unknown'], '10.0.0.1', '10.0.0.1'],
    ['nonsense behind a proxy', '10.0.0.1', ['unknown, 10.0.0.2'], '10.0.0.2', '10.0.0.2'],
    ['the last field', '10.0.0.1', ['1.1.1.1', '2.2.2.2'], '2.2.2.2', '2.2.2.2'],
    ['several fields', '10.0.0.1', ['1.1.1.1', '10.0.0.2'], '10.0.0.2', '1.1.1.1'],
    ['blanks and commas', '10.0.0.1', ['1.1.1.1 , ,'], '1.1.1.1', '1.1.1.1'],
    ['an IPv6 proxy', '::1', ['2001:db8::1'], '2001:db8::1', '2001:db8::1'],
  ];
  test.each(rows)('%s', (_name, speaker, fields, once, recursive) => {
    const address = addressBytes(speaker);
    expect(speaks(address, fields, false)).toBe(addressBytes(once));
    expect(speaks(address, fields, true)).toBe(addressBytes(recursive));
  });
});
