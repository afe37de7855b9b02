/**
 * Row parsers: each takes what stands behind the directive's name and gives the field's value, or ends with nginx's words.
 * The ranges are the row's; `min` and `max` are in the unit of the result.
 */
import type { DirectiveUse } from './directive-spec.ts';
import { parseFlag, parseInteger, parseOffsetBytes, parseSizeBytes, parseTimeMs, parseTimeSec } from './parse-value.ts';

export type ValueParser<T> = (use: DirectiveUse) => T;

export interface Range {
  readonly min?: number;
  readonly max?: number;
}

/** Milliseconds: `500ms`, `10s`, `1h30m`; a bare number counts seconds. */
export function timeMs(range: Range = {}): ValueParser<number> {
  return (use) => ranged(use, parseTimeMs(firstArg(use)), range);
}

/** Seconds, for directives that know no `ms`. */
export function timeSec(range: Range = {}): ValueParser<number> {
  return (use) => ranged(use, parseTimeSec(firstArg(use)), range);
}

/** Bytes: `4096`, `8k`, `1m`. */
export function sizeBytes(range: Range = {}): ValueParser<number> {
  return (use) => ranged(use, parseSizeBytes(firstArg(use)), range);
}

/** Bytes of files and bodies: as `sizeBytes`, and `g`. */
export function offBytes(range: Range = {}): ValueParser<number> {
  return (use) => ranged(use, parseOffsetBytes(firstArg(use)), range);
}

/** A number without a unit. Out of range has nginx's own texts: `value must be between 1 and 9`. */
export function integer(range: Range = {}): ValueParser<number> {
  return (use) => {
    const value = parseInteger(firstArg(use));
    if (value === null) return use.fail(`"${use.name}" directive invalid number`);
    if (isInside(value, range)) return value;
    return use.fail(
      range.max === undefined
        ? `value must be equal to or greater than ${range.min}`
        : `value must be between ${range.min ?? 0} and ${range.max}`,
    );
  };
}

/** `on` or `off`; rows with `args: 'flag'` have this parser without naming it. */
export function flag(use: DirectiveUse): boolean {
  return parseFlag(firstArg(use), use.name);
}

/** One word of a list, spelled exactly so. */
export function oneOf<const W extends string>(words: readonly W[]): ValueParser<W> {
  return (use) => {
    const given = firstArg(use);
    const word = words.find((candidate) => candidate === given);
    return word ?? use.fail(`invalid value "${given}"`);
  };
}

/**
 * Any number of words, each a bit (or several). A word said twice is a warning, as in nginx. Such directives may be repeated in a block: `said` is what
 * was said before.
 */
export function wordMask(bits: Readonly<Record<string, number>>): (use: DirectiveUse, said?: number) => number {
  return (use, said = 0) => {
    let mask = said;
    for (const word of use.args) {
      const bit = Object.hasOwn(bits, word) ? bits[word] : undefined;
      if (bit === undefined) return use.fail(`invalid value "${word}"`);
      if ((mask & bit) !== 0) use.warn(`duplicate value "${word}"`);
      mask |= bit;
    }
    return mask;
  };
}

/** Any number of words as a list, each once; the same findings as `wordMask`. */
export function wordList<const W extends string>(
  words: readonly W[],
): (use: DirectiveUse, said?: readonly W[]) => readonly W[] {
  return (use, before = []) => {
    const said: W[] = [...before];
    for (const given of use.args) {
      const word = words.find((candidate) => candidate === given);
      if (word === undefined) return use.fail(`invalid value "${given}"`);
      if (said.includes(word)) use.warn(`duplicate value "${word}"`);
      else said.push(word);
    }
    return said;
  };
}

/** `1%` to `100%`. */
export function percent(use: DirectiveUse): number {
  const given = firstArg(use);
  const value = given.endsWith('%') ? parseInteger(given.slice(0, -1)) : null;
  if (value === null || value < 1 || value > 100) return use.fail(`invalid value "${given}"`);
  return value;
}

/** The first argument as it is. */
export function text(use: DirectiveUse): string {
  return firstArg(use);
}

/** All arguments as they are. */
export function texts(use: DirectiveUse): readonly string[] {
  return use.args;
}

/** A file's name as it stands; `fullName(prefix, name)` resolves it where it is opened. An empty one is refused. */
export function filePath(use: DirectiveUse): string {
  return firstArg(use) === '' ? invalidValue(use) : firstArg(use);
}

export interface NumAndSize {
  readonly num: number;
  readonly sizeBytes: number;
}

/** `proxy_buffers 8 4k`: how many and how large; neither may be zero. */
export function numAndSize(use: DirectiveUse): NumAndSize {
  const num = parseInteger(firstArg(use));
  const size = parseSizeBytes(use.args[1] ?? '');
  if (num === null || num === 0 || size === null || size === 0) return invalidValue(use);
  return { num, sizeBytes: size };
}

/** `off` gives `whenOff`; anything else is the inner parser's. */
export function orOff<T, O>(parser: ValueParser<T>, whenOff: O): ValueParser<T | O> {
  return orWord('off', parser, whenOff);
}

/** One special word (`auto`, `off`, `none`) has a value of its own; anything else is the inner parser's. */
export function orWord<T, O>(word: string, parser: ValueParser<T>, value: O): ValueParser<T | O> {
  return (use) => (firstArg(use) === word ? value : parser(use));
}

/** `"x" directive invalid value`: what nginx says of a value that its slot functions refuse. */
export function invalidValue(use: DirectiveUse): never {
  return use.fail(`"${use.name}" directive invalid value`);
}

function firstArg(use: DirectiveUse): string {
  return use.args[0] ?? '';
}

function ranged(use: DirectiveUse, value: number | null, range: Range): number {
  return value !== null && isInside(value, range) ? value : invalidValue(use);
}

function isInside(value: number, range: Range): boolean {
  return value >= (range.min ?? 0) && value <= (range.max ?? Number.POSITIVE_INFINITY);
}
