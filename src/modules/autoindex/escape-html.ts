const SPECIALS = /[<>&"]/g;
const ENTITIES: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;' };

/** nginx's ngx_escape_html: for text and for what stands in double quotes. */
export function escapeHtml(text: string): string {
  return text.replace(SPECIALS, (char) => ENTITIES[char] as string);
}
