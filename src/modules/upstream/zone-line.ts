import type { DirectiveUse } from '../../config/directive-spec.ts';
import { parseSizeBytes } from '../../config/parse-value.ts';

/** `zone NAME [SIZE]`; bytes 0 = said elsewhere. */
export interface ZoneLine {
  readonly name: string;
  readonly bytes: number;
}

/** nginx's least: eight memory pages. */
const LEAST_BYTES = 32_768;

/** `others`: zones that the other upstreams have said so far. The size has no meaning here but is checked as nginx checks it. */
export function parseZoneLine(use: DirectiveUse, others: readonly ZoneLine[]): ZoneLine {
  const [name = '', size] = use.args;
  if (name === '') use.fail(`invalid zone name "${name}"`);
  const bytes = size === undefined ? 0 : (parseSizeBytes(size) ?? use.fail(`invalid zone size "${size}"`));
  if (size !== undefined && bytes < LEAST_BYTES) use.fail(`zone "${name}" is too small`);
  const said = others.find((zone) => zone.name === name && zone.bytes !== 0);
  if (said !== undefined && bytes !== 0 && bytes !== said.bytes) {
    use.fail(`the size ${bytes} of shared memory zone "${name}" conflicts with already declared size ${said.bytes}`);
  }
  return { name, bytes };
}
