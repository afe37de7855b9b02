import { HTTP } from '../../config/contexts.ts';
import { directive } from '../../config/directive-spec.ts';
import { capturingMatch } from '../../http/capturing-match.ts';
import type { Exchange } from '../../http/exchange.ts';
import { lowerCase } from '../../http/host-name.ts';
import type { HttpModule } from '../../http/http-module.ts';
import type { Template, VariableCompiler, VariableGetter } from '../../http/variable.ts';
import { type MapConf, type MapValue, parseMap } from './map-conf.ts';

export interface MapsConf {
  /** In the order of the file. */
  maps: readonly MapConf[];
}

/** nginx's ngx_http_map_module. */
export const mapModule: HttpModule<MapsConf> = {
  name: 'map',
  defaults: () => ({ maps: [] }),
  rows: [
    directive<MapsConf>({
      name: 'map',
      contexts: HTTP,
      args: 2,
      block: 'raw',
      field: 'maps',
      repeat: 'append',
      parse: parseMap,
      syntax: 'string $variable',
      doc: 'A variable whose value hangs on another: keys, `~regex` with captures, `default`, `hostnames`, `volatile`; values may hold variables.',
    }),
  ],
  compileHttp: ({ maps }, _scope, variables) => {
    // A map may be made of one that comes later.
    const compiled = maps.map((map) => defineMap(map, variables));
    for (const compile of compiled) compile();
  },
};

/** Defines the variable; what is returned compiles the texts. */
function defineMap(map: MapConf, variables: VariableCompiler): () => void {
  let value: VariableGetter = () => '';
  variables.pos = map.pos;
  variables.define({ name: map.name, isVolatile: map.isVolatile, compile: () => (ex) => value(ex) });
  return () => {
    value = compileMap(map, variables);
  };
}

function compileMap(map: MapConf, variables: VariableCompiler): VariableGetter {
  variables.pos = map.pos;
  const source = variables.template(map.source);
  const template = (value: MapValue): Template => {
    variables.pos = value.pos;
    return variables.template(value.text);
  };
  const texts = new Map<MapValue, Template>();
  const textOf = (value: MapValue): Template => {
    let text = texts.get(value);
    if (text === undefined) texts.set(value, (text = template(value)));
    return text;
  };
  const exact = new Map([...map.exact].map(([key, value]) => [key, textOf(value)]));
  const hosts = map.hosts.map(textOf);
  const regexes = map.regexes.map(({ pattern, value }) => {
    variables.pos = value.pos;
    return { match: capturingMatch(pattern, variables, false), text: textOf(value) };
  });
  const fallback = map.fallback === null ? null : textOf(map.fallback);

  const find = (subject: string, ex: Exchange): Template | null => {
    const key = lowerCase(subject);
    const known = exact.get(key) ?? hosts.find(key);
    if (known !== undefined) return known;
    // As in nginx, no regex is asked about nothing.
    if (subject !== '') for (const { match, text } of regexes) if (match.matches(subject, ex)) return text;
    return fallback;
  };
  return (ex) => {
    const text = source.evaluate(ex);
    const subject = map.isHostnames && text.endsWith('.') ? text.slice(0, -1) : text;
    return find(subject, ex)?.evaluate(ex) ?? '';
  };
}
