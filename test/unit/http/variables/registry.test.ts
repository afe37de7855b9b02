import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../../../src/config/diagnostic.ts';
import { CORE_VARIABLES } from '../../../../src/http/variables/core-variables.ts';
import { VariableRegistry } from '../../../../src/http/variables/variable-registry.ts';
import { sampleExchange } from './sample-exchange.ts';

function registryOfTheCore(): VariableRegistry {
  return new VariableRegistry(CORE_VARIABLES);
}

describe('a text with variables', () => {
  const rows = [
    ['', ''],
    ['plain', 'plain'],
    ['$uri', '/a'],
    ['$URI', '/a'],
    ['${uri}', '/a'],
    ['${uri}x', '/ax'],
    ['$uri$is_args$args', '/a?b=c'],
    ['x$uri', 'x/a'],
    ['$uri;', '/a;'],
    ['$server_name:$server_port', 'first.example:8080'],
    ['$scheme://$server_name$request_uri', 'http://first.example/a?b=c'],
    ['a$http_none.b', 'a.b'],
    ['$1', 'one'],
    ['$1$2', 'one'],
    ['$10', 'one0'],
    ['$3', 'three'],
    ['a}b{c', 'a}b{c'],
  ] as const;
  test.each(rows)('%s is %s', (text, value) => {
    const ex = sampleExchange();
    ex.captures = ['all', 'one', undefined, 'three'];
    const registry = registryOfTheCore();
    const template = registry.template(text);
    registry.finish();
    expect(template.evaluate(ex)).toBe(value);
    expect(template.constant).toBe(text.includes('$') ? null : value);
  });

  test('captures are those of the server_name when no location had any', () => {
    const ex = sampleExchange();
    const template = registryOfTheCore().template('[$1]');
    expect(template.evaluate(ex)).toBe('[]');
    ex.serverCaptures = ['all', 'server'];
    expect(template.evaluate(ex)).toBe('[server]');
  });

  const wrong = [
    ['$', 'invalid variable name'],
    ['a$', 'invalid variable name'],
    ['$-', 'invalid variable name'],
    ['${', 'invalid variable name'],
    ['${}', 'invalid variable name'],
    ['${uri', 'the closing bracket in "uri" variable is missing'],
    ['${uri-x}', 'the closing bracket in "uri" variable is missing'],
  ] as const;
  test.each(wrong)('%s is refused: %s', (text, finding) => {
    expect(() => registryOfTheCore().template(text)).toThrow(new ConfigError(finding));
  });

  test.each(['$nope', '${nope}', '$Nope', '$nope$uri'])('%s has no meaning', (text) => {
    const registry = registryOfTheCore();
    registry.pos = { file: 'a.conf', line: 4 };
    registry.template(text);
    expect(() => registry.finish()).toThrow(new ConfigError('unknown "nope" variable', { file: 'a.conf', line: 4 }));
  });
});

describe('values that the configuration sets', () => {
  test('live in slots, one per name in any case', () => {
    const registry = registryOfTheCore();
    const slot = registry.slot('Tenant');
    expect(registry.slot('tenant')).toBe(slot);
    expect(registry.slot('other')).not.toBe(slot);
    expect(registry.slotCount).toBe(2);
    const template = registry.template('<$tenant>');
    const ex = sampleExchange();
    expect(template.evaluate(ex)).toBe('<>');
    ex.slots[slot] = 'blue';
    expect(template.evaluate(ex)).toBe('<blue>');
  });

  test('may be used before they are defined', () => {
    const registry = registryOfTheCore();
    const template = registry.template('<$later$mapped>');
    const slot = registry.slot('later');
    registry.define({ name: 'mapped', compile: () => (ex) => ex.uri.toUpperCase() });
    registry.finish();
    const ex = sampleExchange();
    ex.slots[slot] = 'x';
    expect(template.evaluate(ex)).toBe('<x/A>');
  });

  test('can not replace those of nginx', () => {
    const registry = registryOfTheCore();
    const finding = new ConfigError('the duplicate "uri" variable');
    expect(() => registry.slot('uri')).toThrow(finding);
    expect(() => registry.define({ name: 'uri', compile: () => () => '' })).toThrow(finding);
  });

  test('win over a family', () => {
    const registry = registryOfTheCore();
    const slot = registry.slot('http_x');
    const ex = sampleExchange({ fields: [['X', 'field']] });
    ex.slots[slot] = 'set';
    expect(registry.variable('http_x')(ex)).toBe('set');
  });
});
