import type { HeaderBlock } from './header-block.ts';
import { HEADER_ID } from './known-header.ts';

/** Browsers that replace short error pages by their own (nginx's marks of them): MSIE, and Chrome by its token. */
export function wantsPadding(headers: HeaderBlock): boolean {
  const at = headers.find(HEADER_ID['user-agent']);
  if (at < 0) return false;
  const agent = headers.value(at);
  const msie = agent.indexOf('MSIE ');
  const isMsie = msie >= 0 && msie + 7 < agent.length;
  const isOpera = agent.includes('Opera');
  if (isMsie && !isOpera) return true;
  return !isMsie && !isOpera && !agent.includes('Gecko/') && agent.includes('Chrome/');
}
