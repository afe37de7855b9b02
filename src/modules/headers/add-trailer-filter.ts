import { addBodyFilter, type BodyFilter, type BodyFilterLink } from '../../http/body-filter.ts';
import type { Exchange } from '../../http/exchange.ts';
import { HeaderBlock } from '../../http/header-block.ts';
import { knownHeaderIdOf } from '../../http/known-header.ts';
import type { HeaderFilter } from '../../http/location.ts';
import type { Template, VariableCompiler } from '../../http/variable.ts';
import { isGoodStatus } from './add-header-filter.ts';
import type { AddHeaderConf } from './headers-module.ts';

interface CompiledTrailer {
  readonly name: string;
  readonly value: Template;
  readonly isAlways: boolean;
}

/** Adds the fields of `add_trailer` behind the body; their variables have the values that they have then. */
export function addTrailerFilter(confs: readonly AddHeaderConf[], variables: VariableCompiler): HeaderFilter {
  const trailers: readonly CompiledTrailer[] = confs.map(({ name, value, isAlways, pos }) => {
    variables.pos = pos;
    return { name, value: variables.template(value), isAlways };
  });
  return (ex) => {
    const isGood = isGoodStatus(ex.response.status);
    const sent = isGood ? trailers : trailers.filter(({ isAlways }) => isAlways);
    if (sent.length === 0) return;
    ex.response.expectsTrailers = true;
    addBodyFilter(ex, (link) => new TrailerFilter(ex, link, sent));
  };
}

class TrailerFilter implements BodyFilter {
  readonly #ex: Exchange;
  readonly #link: BodyFilterLink;
  readonly #trailers: readonly CompiledTrailer[];

  constructor(ex: Exchange, link: BodyFilterLink, trailers: readonly CompiledTrailer[]) {
    this.#ex = ex;
    this.#link = link;
    this.#trailers = trailers;
  }

  sendBody(chunk: Uint8Array): boolean {
    return this.#link.sendBody(chunk);
  }

  flush(): boolean {
    return this.#link.flush();
  }

  endBody(before: HeaderBlock | null): void {
    const lines: [name: string, value: string][] = [];
    for (let i = 0; i < (before?.count ?? 0); i++) {
      if (before?.hidden[i] === 0) lines.push([before.name(i), before.value(i)]);
    }
    for (const { name, value } of this.#trailers) {
      const text = value.evaluate(this.#ex).replace(/[\0\r\n]/g, ' ');
      if (text !== '') lines.push([name, text]);
    }
    this.#link.endBody(lines.length === 0 ? null : blockOf(lines));
  }

  onWritable(): void {
    this.#link.resume();
  }

  close(): void {
    // It holds nothing.
  }
}

function blockOf(lines: readonly (readonly [name: string, value: string])[]): HeaderBlock {
  const block = new HeaderBlock();
  block.reset(Buffer.from(lines.map(([name, value]) => name + value).join(''), 'latin1'));
  let at = 0;
  for (const [name, value] of lines) {
    const valueAt = at + name.length;
    block.add(at, valueAt, valueAt, valueAt + value.length, knownHeaderIdOf(name));
    at = valueAt + value.length;
  }
  return block;
}
