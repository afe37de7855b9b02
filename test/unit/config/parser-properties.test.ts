// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are nginx's variables
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseText } from '../../../src/config/parser.ts';
import { printTree } from '../../../src/config/print.ts';
import type { Directive } from '../../../src/config/tree.ts';

/** Any byte, but mostly the ones that mean something to the grammar. */
const grammarText = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...'{};"\'\\$# \t\r\n)(ab'.split('')) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)) },
    ),
    { maxLength: 60 },
  )
  .map((bytes) => bytes.join(''));

const word = fc.oneof(grammarText, fc.constantFrom('server', 'location', '~', '^/[0-9]{3}\\.x$', '$host', '${a}'));

const tree = fc.letrec<{ node: Plain; nodes: Plain[] }>((tie) => ({
  node: fc.record({
    name: word,
    args: fc.array(word, { maxLength: 4 }),
    block: fc.oneof({ maxDepth: 4 }, fc.constant(null), tie('nodes')),
  }),
  nodes: fc.array(tie('node'), { maxLength: 4 }),
})).nodes;

interface Plain {
  readonly name: string;
  readonly args: readonly string[];
  readonly block: readonly Plain[] | null;
}

function plain(directives: readonly Directive[]): Plain[] {
  return directives.map(({ name, args, block }) => ({ name, args, block: block === null ? null : plain(block) }));
}

function withPositions(nodes: readonly Plain[]): Directive[] {
  return nodes.map(({ name, args, block }) => ({
    name,
    args,
    block: block === null ? null : withPositions(block),
    pos: { file: 'nginx.conf', line: 1 },
  }));
}

it('any text parses or ends with one finding inside the text', () => {
  fc.assert(
    fc.property(grammarText, fc.constantFrom('file' as const, 'command-line' as const), (text, origin) => {
      const { finding } = parseText({ text, file: 'nginx.conf', origin });
      if (finding === null) return;
      expect(finding.severity).toBe('emerg');
      expect(finding.pos?.line).toBeLessThanOrEqual(text.split('\n').length);
    }),
    { numRuns: 3000 },
  );
});

it('what was printed reads back as the same tree', () => {
  fc.assert(
    fc.property(tree, (nodes) => {
      const again = parseText({ text: printTree(withPositions(nodes)), file: 'nginx.conf' });
      expect(again.finding).toBeNull();
      expect(plain(again.directives)).toEqual(nodes);
    }),
    { numRuns: 1500 },
  );
});

it('printing is stable: print, parse, print gives the same text', () => {
  fc.assert(
    fc.property(grammarText, (text) => {
      const printed = printTree(parseText({ text, file: 'nginx.conf' }).directives);
      expect(printTree(parseText({ text: printed, file: 'nginx.conf' }).directives)).toBe(printed);
    }),
    { numRuns: 1500 },
  );
});

it('what stands before a syntax error is kept', () => {
  fc.assert(
    fc.property(tree, (nodes) => {
      const again = parseText({ text: `${printTree(withPositions(nodes))}\n}`, file: 'nginx.conf' });
      expect(again.finding?.text).toBe('unexpected "}"');
      expect(plain(again.directives)).toEqual(nodes);
    }),
  );
});

it('neither deep nesting nor a large text hurts', () => {
  const deep = parseText({ text: 'a{'.repeat(200_000), file: 'nginx.conf' });
  expect(deep.finding?.text).toBe('more than 500 nested blocks');
  const wide = parseText({ text: 'server 127.0.0.1 weight=1;\n'.repeat(50_000), file: 'nginx.conf' });
  expect(wide.directives).toHaveLength(50_000);
  expect(wide.directives.at(-1)?.pos.line).toBe(50_000);
});
