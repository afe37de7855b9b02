/**
 * What nginx does to the target of a `rewrite … redirect`: in front of the query, `%XX` of what may stand there as it is gets decoded
 * again; `%00`-`%25` and what isn't ASCII stay. A broken `%XX` loses its percent sign and its first digit.
 */
export function unescapeRedirect(text: string): string {
  if (!text.includes('%')) return text;
  let result = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string;
    if (char === '?') return result + text.slice(i);
    if (char !== '%') {
      result += char;
      continue;
    }
    const high = text[++i] ?? '';
    if (!isHex(high)) {
      result += high;
      continue;
    }
    const low = text[++i] ?? '';
    if (!isHex(low)) continue;
    const code = Number.parseInt(high + low, 16);
    if (code === QUESTION) return `${result}?${text.slice(i + 1)}`;
    result += code > PERCENT && code < DELETE ? String.fromCharCode(code) : `%${high}${low}`;
  }
  return result;
}

const PERCENT = 0x25;
const QUESTION = 0x3f;
const DELETE = 0x7f;

function isHex(char: string): boolean {
  return /^[0-9a-fA-F]$/.test(char);
}
