import type { Exchange } from '../../http/exchange.ts';
import type { HeaderFilter } from '../../http/location.ts';
import type { ResponseHead } from '../../http/response-head.ts';
import type { Template, VariableCompiler } from '../../http/variable.ts';
import type { AddHeaderConf } from './headers-module.ts';

/** Statuses for which a field without `always` is added. */
const GOOD = new Set([200, 201, 204, 206, 301, 302, 303, 304, 307, 308]);

export function isGoodStatus(status: number): boolean {
  return GOOD.has(status);
}

interface CompiledField {
  readonly name: string;
  readonly value: Template;
  readonly isAlways: boolean;
  readonly put: (response: ResponseHead, name: string, value: string) => void;
}

/** Adds the fields of `add_header`; one whose value is empty is left out. */
export function addHeaderFilter(confs: readonly AddHeaderConf[], variables: VariableCompiler): HeaderFilter {
  const fields: readonly CompiledField[] = confs.map(({ name, value, isAlways, pos }) => {
    variables.pos = pos;
    return { name, value: variables.template(value), isAlways, put: PUTTERS[name.toLowerCase()] ?? add };
  });
  return (ex: Exchange) => {
    const { response } = ex;
    const isGood = GOOD.has(response.status);
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i];
      if (field === undefined || (!isGood && !field.isAlways)) continue;
      const value = field.value.evaluate(ex);
      field.put(response, field.name, value);
    }
  };
}

function add(response: ResponseHead, name: string, value: string): void {
  if (value !== '') response.add(name, value);
}

/** Fields of which a response has one: the one said here takes the place of what was there. */
const PUTTERS: Readonly<Record<string, CompiledField['put']>> = {
  'last-modified': (response, name, value) => {
    hidePassed(response, 'last-modified');
    response.lastModified = '';
    response.lastModifiedSec = -1;
    response.remove('last-modified');
    if (value !== '') response.add(name, value);
  },
  etag: (response, name, value) => {
    hidePassed(response, 'etag');
    response.remove('etag');
    if (value !== '') response.add(name, value);
  },
};

export function hidePassed(response: ResponseHead, lowerName: string): void {
  const { passed } = response;
  if (passed === null) return;
  for (let i = passed.findNamed(lowerName); i >= 0; i = passed.findNamed(lowerName, i + 1)) passed.hidden[i] = 1;
}
