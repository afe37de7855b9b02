import { HTTP } from '../../config/contexts.ts';
import { ConfigError } from '../../config/diagnostic.ts';
import { type DirectiveUse, directive } from '../../config/directive-spec.ts';
import { rawLines } from '../../config/raw-block.ts';
import type { SourcePos } from '../../config/tree.ts';
import { variableName } from '../../config/variable-name.ts';
import type { HttpModule } from '../../http/http-module.ts';
import { murmurHash2 } from '../../policy/murmur-hash2.ts';

/** One line of `split_clients`: hashes below `below` get the value. */
interface Part {
  readonly below: number;
  readonly value: string;
}

/** `split_clients SOURCE $name { … }`. */
export interface SplitConf {
  /** Text with variables. */
  readonly source: string;
  readonly name: string;
  readonly pos: SourcePos;
  readonly parts: readonly Part[];
}

export interface SplitClientsConf {
  splits: readonly SplitConf[];
}

/** nginx's ngx_http_split_clients_module. */
export const splitClientsModule: HttpModule<SplitClientsConf> = {
  name: 'split_clients',
  defaults: () => ({ splits: [] }),
  rows: [
    directive<SplitClientsConf>({
      name: 'split_clients',
      contexts: HTTP,
      args: 2,
      block: 'raw',
      field: 'splits',
      repeat: 'append',
      parse: parseSplit,
      syntax: 'string $variable',
      doc: 'A variable that has one of several values, each for a share of all strings: lines `0.5% value;`, the rest `* value;`.',
    }),
  ],
  compileHttp: ({ splits }, _scope, variables) => {
    for (const { source, name, pos, parts } of splits) {
      variables.pos = pos;
      const text = variables.template(source);
      const getter = (hash: number): string => parts.find(({ below }) => hash < below)?.value ?? '';
      variables.define({ name, compile: () => (ex) => getter(murmurHash2(text.evaluate(ex))) });
    }
  },
};

/** Percents times a hundred. */
const WHOLE = 10_000;
const LARGEST_HASH = 0xffff_ffff;

function parseSplit(use: DirectiveUse): SplitConf {
  const [source = '', variable = ''] = use.args;
  const name = variableName(use, variable);
  let sum = 0;
  let below = 0;
  const parts = rawLines(use).map(({ name: share, args: [value], pos }): Part => {
    if (value === undefined) throw new ConfigError('invalid number of the split_clients parameters', pos);
    const percent = share === '*' ? null : percentOf(share, pos);
    sum = percent === null ? WHOLE : sum + percent;
    if (sum > WHOLE) throw new ConfigError('percent total is greater than 100%', use.end);
    if (percent === null) return { below: Number.POSITIVE_INFINITY, value };
    below += Math.floor((percent * LARGEST_HASH) / WHOLE);
    return { below, value };
  });
  return { source, name, pos: use.pos, parts };
}

/** `12.5%` as 1250. */
function percentOf(text: string, pos: SourcePos): number {
  const match = /^(\d*)(?:\.(\d{0,2}))?%$/.exec(text);
  const percent = match === null ? 0 : Number(`${match[1]}${(match[2] ?? '').padEnd(2, '0')}`);
  if (percent === 0) throw new ConfigError(`invalid percent value "${text}"`, pos);
  return percent;
}
