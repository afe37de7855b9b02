import { describe, expect, test } from 'vitest';
import { compileGroup } from '../../../support/compile-text.ts';
import { ask } from '../../../support/fake-client-stream.ts';

/** Newer than the nginx that the differential suite asks: add_header_inherit, 1.29.3. */
function fieldsOf(location: string, around = '', server = ''): string[] {
  const group = compileGroup(
    `add_header X-Http http; ${around} server { listen 8080; ${server} location / { ${location} return 200 x; } }`,
  );
  return [...(ask(group, { target: '/' }).head?.fields ?? [])];
}

describe('add_header_inherit', () => {
  test('on: own fields take the place of those around', () => {
    expect(fieldsOf('')).toEqual(['X-Http: http']);
    expect(fieldsOf('add_header X-Own own;')).toEqual(['X-Own: own']);
    expect(fieldsOf('add_header X-Own own; add_header_inherit on;')).toEqual(['X-Own: own']);
  });

  test('merge: those around stand behind the own ones', () => {
    expect(fieldsOf('add_header X-Own own; add_header_inherit merge;')).toEqual(['X-Own: own', 'X-Http: http']);
    expect(fieldsOf('add_header_inherit merge;')).toEqual(['X-Http: http']);
  });

  test('merge is inherited, over all levels', () => {
    expect(fieldsOf('add_header X-Own own;', 'add_header_inherit merge;', 'add_header X-Server server;')).toEqual([
      'X-Own: own',
      'X-Server: server',
      'X-Http: http',
    ]);
  });

  test('off: nothing but the own ones', () => {
    expect(fieldsOf('add_header_inherit off;')).toEqual([]);
    expect(fieldsOf('add_header X-Own own; add_header_inherit off;')).toEqual(['X-Own: own']);
    expect(fieldsOf('add_header X-Own own; add_header_inherit on;', 'add_header_inherit off;')).toEqual(['X-Own: own']);
  });

  test('trailers have a rule of their own', () => {
    const both = 'add_trailer X-Own own; add_trailer_inherit merge; add_header X-A a;';
    const group = compileGroup(`add_trailer X-Http http; server { listen 8080; location / { ${both} return 200 x; } }`);
    const stream = ask(group, { target: '/' });
    expect(stream.head?.fields).toEqual(['X-A: a']);
    expect(stream.trailers).toEqual(['X-Own: own', 'X-Http: http']);
  });
});
