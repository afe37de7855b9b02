import type { HeaderBlock } from './header-block.ts';
import { HEADER_ID } from './known-header.ts';

/** Browsers that nginx treats in their own ways, by what it looks for in `User-Agent`. */
export const BROWSERS = ['msie6', 'msie', 'chrome', 'safari', 'other'] as const;
export type Browser = (typeof BROWSERS)[number];

/** Who asks, as far as nginx cares; 'other' for nearly everybody. */
export function browserOf(headers: HeaderBlock): Browser {
  const at = headers.find(HEADER_ID['user-agent']);
  if (at < 0) return 'other';
  const agent = headers.value(at);
  if (agent.includes('Opera')) return 'other';
  const msie = agent.indexOf('MSIE ');
  if (msie >= 0 && msie + 7 < agent.length) return isOldMsie(agent.slice(msie + 5)) ? 'msie6' : 'msie';
  if (agent.includes('Gecko/')) return 'other';
  if (agent.includes('Chrome/')) return 'chrome';
  return agent.includes('Safari/') && agent.includes('Mac OS X') ? 'safari' : 'other';
}

/** `4.`, `5.`, and `6.` without the second service pack of Windows XP. */
function isOldMsie(version: string): boolean {
  return /^[45]\./.test(version) || (version.startsWith('6.') && !version.includes('SV1'));
}

/** Browsers that replace short error pages by their own. */
export function wantsPadding(headers: HeaderBlock): boolean {
  const browser = browserOf(headers);
  return browser === 'msie' || browser === 'msie6' || browser === 'chrome';
}
