import { BYTE_CLASS, VALUE_OK } from '../core/byte-tables.ts';
import { dateNow, SERVER_TEXT } from '../h1/response-head-writer.ts';
import type { HeaderBlock } from '../http/header-block.ts';
import { HEADER_ID, KNOWN_HEADERS } from '../http/known-header.ts';
import type { CoreSettings } from '../http/location.ts';
import type { ResponseHead } from '../http/response-head.ts';

/** Of a connection of HTTP/1 (RFC 9113 section 8.2.2), or framing: never sent. */
const neverSent = new Uint8Array(256);
for (const name of [
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'te',
  'http2-settings',
  'content-length',
] as const) {
  neverSent[HEADER_ID[name]] = 1;
}

/** Those, and what is made here: never passed on. `add_header` may say it beside ours, as in nginx. */
const neverPassed = Uint8Array.from(neverSent);
for (const name of ['content-type', 'date', 'server', 'last-modified'] as const) neverPassed[HEADER_ID[name]] = 1;

const MAX_NAMES = 1024;
const lowerNames = new Map<string, string>();

/** A name of ours or of a peer's as HTTP/2 has it; '' = it may not be sent. */
function sentName(name: string): string {
  let sent = lowerNames.get(name);
  if (sent === undefined) {
    if (lowerNames.size >= MAX_NAMES) lowerNames.clear();
    sent = toSentName(name);
    lowerNames.set(name, sent);
  }
  return sent;
}

const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

function toSentName(name: string): string {
  const lower = name.toLowerCase();
  const id = HEADER_ID[lower as keyof typeof HEADER_ID] ?? 0;
  return (id !== 0 && neverSent[id] !== 0) || !TOKEN.test(lower) ? '' : lower;
}

const statusTexts: string[] = [];

/** The fields of a final response, names and values in turn: in nginx's order. */
export function responseFields(head: ResponseHead, core: CoreSettings): string[] {
  const fields = [':status', (statusTexts[head.status] ??= String(head.status))];
  const { server, date } = head;
  if (server !== null) fields.push('server', server === '' ? SERVER_TEXT[core.serverTokens] : server);
  if (date !== null) fields.push('date', date === '' ? dateNow() : date);
  const { contentType } = head;
  if (contentType !== '') fields.push('content-type', cleanValue(contentType));
  if (head.contentLength >= 0) fields.push('content-length', String(head.contentLength));
  if (head.lastModified !== '') fields.push('last-modified', head.lastModified);
  if (head.variesByEncoding) fields.push('vary', 'Accept-Encoding');
  if (head.passed !== null) addPassed(fields, head.passed, head.lastModified === '');
  const { added } = head;
  for (let i = 0; i < added.length; i += 2) {
    const name = sentName(added[i] as string);
    if (name !== '') fields.push(name, cleanValue(added[i + 1] as string));
  }
  return fields;
}

/** The peer's fields that are not hidden and not made here. */
function addPassed(fields: string[], block: HeaderBlock, withLastModified: boolean): void {
  const { ids, hidden, count } = block;
  for (let i = 0; i < count; i++) {
    if (hidden[i] !== 0) continue;
    const id = ids[i] as number;
    if (neverPassed[id] !== 0 && !(withLastModified && id === HEADER_ID['last-modified'])) continue;
    const name = id === 0 ? sentName(block.name(i)) : (KNOWN_HEADERS[id] as string);
    if (name !== '') fields.push(name, block.value(i));
  }
}

/** Fields of a 103, or trailers, as node:http2 wants those: by name, several of one name as a list. */
export function fieldsByName(block: HeaderBlock): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = Object.create(null);
  for (let i = 0; i < block.count; i++) {
    if (block.hidden[i] !== 0 || neverPassed[block.id(i)] !== 0) continue;
    const name = sentName(block.name(i));
    if (name === '') continue;
    const value = block.value(i);
    const before = fields[name];
    if (before === undefined) fields[name] = value;
    else if (typeof before === 'string') fields[name] = [before, value];
    else before.push(value);
  }
  return fields;
}

/** What variables put into a value and may not stand there becomes a space, as in HTTP/1. */
function cleanValue(value: string): string {
  for (let i = 0; i < value.length; i++) {
    if (((BYTE_CLASS[value.charCodeAt(i)] ?? 0) & VALUE_OK) === 0) return cleaned(value);
  }
  return value;
}

function cleaned(value: string): string {
  let text = '';
  for (let i = 0; i < value.length; i++) {
    text += ((BYTE_CLASS[value.charCodeAt(i)] ?? 0) & VALUE_OK) === 0 ? ' ' : value[i];
  }
  return text;
}
