import { wallMs } from '../../core/clock.ts';
import { escapeUriComponent } from '../../http/escape-uri.ts';
import type { DirectoryEntry } from './directory-entry.ts';
import { escapeHtml } from './escape-html.ts';

/** Longer names are cut. */
const NAME_LENGTH = 50;
const CUT_LENGTH = NAME_LENGTH - 3;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const KILO = 1024;
const MEGA = 1024 * KILO;
const GIGA = 1024 * MEGA;
/** Up to here a size that is not exact is written out. */
const MAX_PLAIN = 9999;

export interface HtmlStyle {
  /** `autoindex_exact_size`. */
  readonly isExact: boolean;
  /** `autoindex_localtime`. */
  readonly isLocalTime: boolean;
  /** The page says that it is UTF-8: names are measured in characters. */
  readonly isUtf8: boolean;
}

/** nginx's page, byte for byte. Strings are byte strings. */
export function* htmlListing(uri: string, entries: readonly DirectoryEntry[], style: HtmlStyle): Generator<string> {
  const title = escapeHtml(uri);
  yield `<html>\r\n<head><title>Index of ${title}</title></head>\r\n<body>\r\n<h1>Index of ${title}</h1>` +
    `<hr><pre><a href="../">../</a>\r\n`;
  const offsetSec = style.isLocalTime ? -new Date(wallMs()).getTimezoneOffset() * 60 : 0;
  for (const entry of entries) yield htmlLine(entry, style, offsetSec);
  yield '</pre><hr></body>\r\n</html>\r\n';
}

function htmlLine({ name, type, modifiedSec, sizeBytes }: DirectoryEntry, style: HtmlStyle, offsetSec: number): string {
  const isDirectory = type === 'directory';
  const link = `${escapeUriComponent(name)}${isDirectory ? '/' : ''}`;
  const size = isDirectory ? '-' : style.isExact ? String(sizeBytes) : roundedSize(sizeBytes);
  const column = style.isExact ? 19 : 7;
  return `<a href="${link}">${nameColumn(name, isDirectory, style.isUtf8)} ${timeOf(modifiedSec + offsetSec)} ${size.padStart(column)}\r\n`;
}

function nameColumn(name: string, isDirectory: boolean, isUtf8: boolean): string {
  const text = isUtf8 ? decoded(name) : null;
  const length = text === null ? name.length : text.length;
  if (length > NAME_LENGTH) {
    const begin =
      text === null
        ? name.slice(0, CUT_LENGTH)
        : Buffer.from(text.slice(0, CUT_LENGTH).join(''), 'utf8').toString('latin1');
    return `${escapeHtml(begin)}..&gt;</a>`;
  }
  const hasSlash = isDirectory && length < NAME_LENGTH;
  return `${escapeHtml(name)}${hasSlash ? '/' : ''}</a>${' '.repeat(NAME_LENGTH - length - (hasSlash ? 1 : 0))}`;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Characters of a name in UTF-8; null: it is in something else. */
function decoded(name: string): readonly string[] | null {
  try {
    return [...UTF8.decode(Buffer.from(name, 'latin1'))];
  } catch {
    return null; // each byte counts then
  }
}

function timeOf(seconds: number): string {
  const at = new Date(seconds * 1000);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${two(at.getUTCDate())}-${MONTHS[at.getUTCMonth()]}-${at.getUTCFullYear()} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
}

function roundedSize(bytes: number): string {
  if (bytes >= GIGA) return `${Math.round(bytes / GIGA)}G`;
  if (bytes >= MEGA) return `${Math.round(bytes / MEGA)}M`;
  return bytes > MAX_PLAIN ? `${Math.round(bytes / KILO)}K` : String(bytes);
}
