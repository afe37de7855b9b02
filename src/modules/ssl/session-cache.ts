import type { DirectiveUse } from '../../config/directive-spec.ts';
import { parseInteger, parseSizeBytes } from '../../config/parse-value.ts';
import { nameZone } from '../../config/zone-table.ts';

/** nginx: eight pages. */
const MIN_ZONE_BYTES = 32_768;

/** `ssl_session_cache off | none | [builtin[:size]] [shared:name:size]`: checked as nginx does. */
export function checkSessionCache(use: DirectiveUse): void {
  for (const word of use.args) {
    if (word === 'off' || word === 'none' || word === 'builtin') continue;
    if (word.startsWith('builtin:')) {
      if (parseInteger(word.slice('builtin:'.length)) === null) invalid(use, word);
    } else if (word.startsWith('shared:')) checkShared(use, word);
    else invalid(use, word);
  }
}

function checkShared(use: DirectiveUse, word: string): void {
  const [, name = '', size = '', ...more] = word.split(':');
  const bytes = parseSizeBytes(size);
  if (name === '' || bytes === null || more.length > 0) return invalid(use, word);
  if (bytes < MIN_ZONE_BYTES) use.fail(`session cache "${word}" is too small`);
  nameZone(use, name, 'ssl_session_cache', bytes);
}

function invalid(use: DirectiveUse, word: string): never {
  return use.fail(`invalid session cache "${word}"`);
}
