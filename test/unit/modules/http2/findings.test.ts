import { expect, test } from 'vitest';
import { compileText } from '../../../support/compile-text.ts';

const findings = (http: string) => compileText(http).findings.map((text) => text.replace(/ in test\.conf:\d+$/, ''));
const of = (directives: string) => findings(`server { listen 8080; ${directives} }`);

test.each<[string, string | null]>([
  ['http2 on;', null],
  ['http2 maybe;', 'emerg: invalid value "maybe" in "http2" directive, it must be "on" or "off"'],
  ['http2_max_resets_per_second 0; http2_max_control_frames_per_second 10;', null],
  ['http2_max_resets_per_second x;', 'emerg: "http2_max_resets_per_second" directive invalid number'],
  ['http2_push /a;', 'warn: the "http2_push" directive is obsolete, ignored'],
  ['http2_push_preload on;', 'warn: the "http2_push_preload" directive is obsolete, ignored'],
  ['http2_max_concurrent_pushes 3;', 'warn: the "http2_max_concurrent_pushes" directive is obsolete, ignored'],
])('%s', (text, finding) => {
  expect(of(text)).toEqual(finding === null ? [] : [finding]);
});

test('listen … http2 is taken, with a warning', () => {
  expect(findings('server { listen 8080 http2; }')).toEqual([
    'warn: the "listen ... http2" directive is deprecated, use the "http2" directive instead',
  ]);
});
