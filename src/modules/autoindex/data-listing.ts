import { formatHttpTime } from '../../http/http-time.ts';
import { ESCAPERS } from '../log/log-escape.ts';
import type { DirectoryEntry } from './directory-entry.ts';
import { escapeHtml } from './escape-html.ts';

/** nginx's JSON; behind the name of a function (`callback`, null: none) it is JSONP. Byte strings. */
export function* jsonListing(entries: readonly DirectoryEntry[], callback: string | null): Generator<string> {
  yield callback === null ? '[' : `/* callback */\r\n${callback}([`;
  let comma = '';
  for (const { name, type, modifiedSec, sizeBytes } of entries) {
    const size = type === 'file' ? `, "size":${sizeBytes}` : '';
    const time = formatHttpTime(modifiedSec);
    yield `${comma}\r\n{ "name":"${ESCAPERS.json(name)}", "type":"${type}", "mtime":"${time}"${size} }`;
    comma = ',';
  }
  yield callback === null ? '\r\n]' : '\r\n]);';
}

/** nginx's XML. */
export function* xmlListing(entries: readonly DirectoryEntry[]): Generator<string> {
  yield '<?xml version="1.0"?>\r\n<list>\r\n';
  for (const { name, type, modifiedSec, sizeBytes } of entries) {
    const time = `${new Date(modifiedSec * 1000).toISOString().slice(0, 19)}Z`;
    const size = type === 'file' ? ` size="${sizeBytes}"` : '';
    yield `<${type} mtime="${time}"${size}>${escapeHtml(name)}</${type}>\r\n`;
  }
  yield '</list>\r\n';
}
