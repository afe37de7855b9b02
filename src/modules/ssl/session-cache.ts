import type { DirectiveUse } from '../../config/directive-spec.ts';
import { parseInteger, parseSizeBytes } from '../../config/parse-value.ts';
import { nameZone } from '../../config/zone-table.ts';
import type { SessionZone } from '../../net/tls-sessions/session-arbiter.ts';
import { DEFAULT_BUILTIN, NO_SESSION_CACHE, type SessionCacheConf } from '../../net/tls-sessions/session-plan.ts';

/** nginx: eight pages. */
const MIN_ZONE_BYTES = 32_768;

/** `ssl_session_cache off | none | [builtin[:size]] [shared:name:size]`, with nginx's findings. */
export function readSessionCache(use: DirectiveUse): SessionCacheConf {
  let cache = NO_SESSION_CACHE;
  for (const word of use.args) {
    if (word === 'off' || word === 'none') continue;
    if (word === 'builtin') cache = { ...cache, builtin: DEFAULT_BUILTIN };
    else if (word.startsWith('builtin:')) {
      const count = parseInteger(word.slice('builtin:'.length));
      if (count === null) return invalid(use, word);
      cache = { ...cache, builtin: count };
    } else if (word.startsWith('shared:')) cache = { ...cache, shared: readShared(use, word) };
    else return invalid(use, word);
  }
  return cache;
}

function readShared(use: DirectiveUse, word: string): SessionZone {
  const [, name = '', size = '', ...more] = word.split(':');
  const bytes = parseSizeBytes(size);
  if (name === '' || bytes === null || more.length > 0) return invalid(use, word);
  if (bytes < MIN_ZONE_BYTES) use.fail(`session cache "${word}" is too small`);
  nameZone(use, name, 'ssl_session_cache', bytes);
  return { name, bytes };
}

function invalid(use: DirectiveUse, word: string): never {
  return use.fail(`invalid session cache "${word}"`);
}
