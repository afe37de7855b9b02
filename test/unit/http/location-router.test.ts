import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Exchange } from '../../../src/http/exchange.ts';
import { Location } from '../../../src/http/location.ts';
import { LocationRouter, type StaticLocation } from '../../../src/http/route-location.ts';
import { CORE } from '../../support/plain-site.ts';

const LOG = { isEnabled: () => false, writeWaiting: () => undefined, write: () => undefined };

function staticLocation(path: string, isExact: boolean, autoRedirect: boolean): StaticLocation {
  const location = new Location(path, CORE, LOG);
  location.autoRedirect = autoRedirect && path.endsWith('/');
  return { path, isExact, skipsRegexes: false, location, nested: null };
}

/** The same by trying all, as nginx's documentation tells it. */
function naive(statics: readonly StaticLocation[], uri: string): Location | null {
  const exact = statics.find((one) => one.isExact && one.path === uri);
  if (exact !== undefined) return exact.location;
  if (!statics.some((one) => one.path === uri)) {
    const slashed = statics
      .filter((one) => one.path === `${uri}/`)
      .sort((a, b) => Number(b.isExact) - Number(a.isExact));
    if (slashed[0]?.location.autoRedirect === true) return slashed[0].location;
  }
  const prefixes = statics.filter((one) => !one.isExact && uri.startsWith(one.path));
  return prefixes.sort((a, b) => b.path.length - a.path.length)[0]?.location ?? null;
}

const path = fc
  .array(fc.constantFrom('/', 'a', 'b', 'ab', '/a/'), { maxLength: 6 })
  .map((parts) => `/${parts.join('')}`);
const one = fc.record({ path, isExact: fc.boolean(), autoRedirect: fc.boolean() });

test('the trie finds what a scan of all locations finds', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(one, { maxLength: 20, selector: ({ path: name, isExact }) => `${name} ${isExact}` }),
      fc.array(path, { minLength: 1, maxLength: 20 }),
      (locations, uris) => {
        const statics = locations.map((conf) => staticLocation(conf.path, conf.isExact, conf.autoRedirect));
        const router = new LocationRouter({ statics, regexes: [] });
        for (const uri of uris) expect(router.find({ uri } as Exchange)).toBe(naive(statics, uri));
      },
    ),
    { numRuns: 2000 },
  );
});
