import { describe, expect, it } from 'vitest';
import { MAIN } from '../../../src/config/contexts.ts';
import { ConfigError } from '../../../src/config/diagnostic.ts';
import type { DirectiveUse } from '../../../src/config/directive-spec.ts';
import {
  parseInteger,
  parseOffsetBytes,
  parseSizeBytes,
  parseTimeMs,
  parseTimeSec,
} from '../../../src/config/parse-value.ts';
import { Scope } from '../../../src/config/scope.ts';
import {
  filePath,
  integer,
  numAndSize,
  offBytes,
  oneOf,
  orOff,
  orWord,
  sizeBytes,
  timeMs,
  timeSec,
  type ValueParser,
  wordList,
  wordMask,
} from '../../../src/config/values.ts';

describe('times', () => {
  it.each([
    ['5', 5_000],
    ['0', 0],
    ['500ms', 500],
    ['10s', 10_000],
    ['1m', 60_000],
    ['1h30m', 5_400_000],
    ['1h 30m', 5_400_000],
    ['1w1d', 691_200_000],
    ['1s500ms', 1_500],
    ['1h 5', 3_605_000],
    ['1s5', 6_000],
    ['1ms5', 5_001],
    [' 5', 5_000],
    ['5 5', 10_000],
    ['5  ', 5_000],
    ['1hm', 3_600_000],
    ['9223372036854775', 9_223_372_036_854_775_000],
  ])('%j', (text, expected) => expect(parseTimeMs(text)).toBe(expected));

  it.each([
    '',
    ' ',
    's',
    'm',
    '-1',
    '1.5s',
    '5x',
    '30m1h',
    '1m1m',
    '1y',
    '1M',
    '5s 5s',
    '5 1h',
    '1h 5 5 5',
    '1s5 ',
    '5\t',
    '9223372036854776',
    '99999999999999999999',
  ])('refuses %j', (text) => expect(parseTimeMs(text)).toBeNull());

  it('in seconds know years and months, but no ms', () => {
    expect(parseTimeSec('1h30m')).toBe(5_400);
    expect(parseTimeSec('1y1M1w1d')).toBe(34_819_200);
    expect(parseTimeSec('1y1y')).toBeNull();
    expect(parseTimeSec('500ms')).toBeNull();
    expect(parseTimeSec('9223372036854775807')).toBe(2 ** 63);
  });
});

describe('sizes and numbers', () => {
  it.each([
    [parseSizeBytes, '4096', 4096],
    [parseSizeBytes, '8k', 8192],
    [parseSizeBytes, '8K', 8192],
    [parseSizeBytes, '1m', 1_048_576],
    [parseSizeBytes, '1g', null],
    [parseSizeBytes, '', null],
    [parseSizeBytes, 'k', null],
    [parseSizeBytes, '8kb', null],
    [parseSizeBytes, '-1', null],
    [parseSizeBytes, '9007199254740993k', null],
    [parseOffsetBytes, '2g', 2_147_483_648],
    [parseOffsetBytes, '2G', 2_147_483_648],
    [parseInteger, '007', 7],
    [parseInteger, '0x10', null],
    [parseInteger, '9223372036854775808', null],
  ] as const)('%o %j', (parse, text, expected) => expect(parse(text)).toBe(expected));
});

describe('row parsers', () => {
  it.each<[string, ValueParser<unknown>, string, unknown]>([
    ['timeMs', timeMs({ min: 1, max: 1000 }), '1s', 1000],
    ['timeMs', timeMs({ min: 1 }), '0', '"x" directive invalid value'],
    ['timeMs', timeMs({ max: 1000 }), '2s', '"x" directive invalid value'],
    ['timeSec', timeSec(), '5ms', '"x" directive invalid value'],
    ['sizeBytes', sizeBytes(), 'x', '"x" directive invalid value'],
    ['offBytes', offBytes(), '1g', 2 ** 30],
    ['integer', integer(), 'x', '"x" directive invalid number'],
    ['integer', integer({ min: 1 }), '0', 'value must be equal to or greater than 1'],
    ['integer', integer({ min: 1, max: 9 }), '10', 'value must be between 1 and 9'],
    ['oneOf', oneOf(['a', 'b']), 'b', 'b'],
    ['oneOf', oneOf(['a', 'b']), 'B', 'invalid value "B"'],
    ['wordMask', wordMask({ a: 1, b: 2, c: 4 }), 'a c', 5],
    ['wordMask', wordMask({ a: 1 }), 'a toString', 'invalid value "toString"'],
    ['wordMask', wordMask({ a: 1 }), 'a a', 1],
    ['wordList', wordList(['a', 'b']), 'b a b', ['b', 'a']],
    ['numAndSize', numAndSize, '8 4k', { num: 8, sizeBytes: 4096 }],
    ['numAndSize', numAndSize, '0 4k', '"x" directive invalid value'],
    ['numAndSize', numAndSize, '8 0', '"x" directive invalid value'],
    ['orOff', orOff(sizeBytes(), null), 'off', null],
    ['orOff', orOff(sizeBytes(), null), '1k', 1024],
    ['orWord', orWord('auto', integer({ min: 1 }), 'auto'), 'auto', 'auto'],
    ['filePath', filePath, 'logs/a.log', 'logs/a.log'],
    ['filePath', filePath, '', '"x" directive invalid value'],
  ])('%s: %o %j', (_, parse, args, expected) => expect(outcome(parse, args.split(' '))).toEqual(expected));

  it('a word said twice is a warning', () => {
    const warnings: string[] = [];
    wordMask({ a: 1 })(useOf(['a', 'a'], warnings));
    expect(warnings).toEqual(['duplicate value "a"']);
  });
});

function outcome(parse: ValueParser<unknown>, args: readonly string[]): unknown {
  try {
    return parse(useOf(args, []));
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

function useOf(args: readonly string[], warnings: string[]): DirectiveUse {
  return {
    name: 'x',
    args,
    block: null,
    pos: { file: 'f', line: 1 },
    end: { file: 'f', line: 1 },
    scope: new Scope(MAIN, null, null),
    opened: null,
    fail: (text) => {
      throw new ConfigError(text);
    },
    warn: (text) => warnings.push(text),
  };
}
