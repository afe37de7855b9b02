import { ConfigError } from '../../config/diagnostic.ts';
import type { DirectiveUse } from '../../config/directive-spec.ts';
import { rawLines } from '../../config/raw-block.ts';
import type { SourcePos } from '../../config/tree.ts';
import { decodeUtf8 } from './decode-utf8.ts';

/** How the bytes of one charset become those of another. */
export type Recoding =
  | { readonly kind: 'bytes'; readonly table: Uint8Array }
  /** What stands for each byte. */
  | { readonly kind: 'to-utf8'; readonly table: readonly Buffer[] }
  /** The byte for each of the first 65,536 characters; 0 = none. */
  | { readonly kind: 'from-utf8'; readonly table: Uint8Array };

/** One `charset_map`; names in lower case. */
export interface CharsetMap {
  readonly from: string;
  readonly to: string;
  readonly there: Recoding;
  readonly back: Recoding;
}

const ASCII_END = 0x80;
const UNKNOWN = 0x3f; // ?
const LAST_CHARACTER = 0xffff;

/** `charset_map from to { 80 E282AC; … }`. As in nginx only the second may be UTF-8. */
export function parseCharsetMap(use: DirectiveUse, known: readonly CharsetMap[]): CharsetMap {
  const [from = '', to = ''] = use.args.map((name) => name.toLowerCase());
  const between = `between ${from === to ? 'the same charsets ' : ''}"${use.args[0]}" and "${use.args[1]}"`;
  if (from === to) use.fail(`"charset_map" ${between}`);
  if (known.some((map) => (map.from === from && map.to === to) || (map.from === to && map.to === from))) {
    use.fail(`duplicate "charset_map" ${between}`);
  }
  return to === 'utf-8' ? utf8Map(use, from) : byteMap(use, from, to);
}

function byteMap(use: DirectiveUse, from: string, to: string): CharsetMap {
  const there = asciiTable();
  const back = asciiTable();
  for (const { byte, text, pos } of lines(use)) {
    const other = byteOf(text, pos);
    there[byte] = other;
    back[other] = byte;
  }
  return { from, to, there: { kind: 'bytes', table: there }, back: { kind: 'bytes', table: back } };
}

function utf8Map(use: DirectiveUse, from: string): CharsetMap {
  const there = Array.from(asciiTable(), (byte) => Buffer.from([byte]));
  const back = new Uint8Array(LAST_CHARACTER + 1);
  for (const { byte, text, pos } of lines(use)) {
    const bytes = Buffer.from(text.length % 2 === 0 && /^[0-9a-f]+$/i.test(text) ? text : '', 'hex');
    const { character } = decodeUtf8(bytes, 0);
    // ASCII is what it is.
    if (character < ASCII_END || character > LAST_CHARACTER) throw invalid(text, pos);
    there[byte] = bytes;
    back[character] = byte;
  }
  return { from, to: 'utf-8', there: { kind: 'to-utf8', table: there }, back: { kind: 'from-utf8', table: back } };
}

/** ASCII stays, what else is not said is unknown. */
function asciiTable(): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (byte < ASCII_END ? byte : UNKNOWN));
}

interface MapLine {
  readonly byte: number;
  readonly text: string;
  readonly pos: SourcePos;
}

function lines(use: DirectiveUse): readonly MapLine[] {
  return rawLines(use).map(({ name, args, pos }) => {
    const [text] = args;
    if (text === undefined || args.length > 1) throw new ConfigError('invalid parameters number', pos);
    return { byte: byteOf(name, pos), text, pos };
  });
}

function byteOf(text: string, pos: SourcePos): number {
  const byte = /^[0-9a-f]+$/i.test(text) ? Number.parseInt(text, 16) : -1;
  if (byte < 0 || byte > 0xff) throw invalid(text, pos);
  return byte;
}

function invalid(text: string, pos: SourcePos): ConfigError {
  return new ConfigError(`invalid value "${text}"`, pos);
}
