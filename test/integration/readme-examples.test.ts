import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { EVENKEEL } from '../support/program.ts';
import { tempFolder } from '../support/temp-folder.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const folder = tempFolder('evenkeel-readme');
afterAll(() => rmSync(folder, { recursive: true }));

function evenkeel(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const [node, ...before] = EVENKEEL.command;
  return spawnSync(node, [...before, ...args], { encoding: 'latin1' });
}

/** `nginx -t` over the text. */
function testOf(conf: string): { status: number | null; stderr: string } {
  const file = join(folder, 'example.conf');
  writeFileSync(file, conf, 'latin1');
  const { status, stderr } = evenkeel(
    '-t',
    '-p',
    `${folder}/`,
    '-c',
    file,
    '-e',
    'error.log',
    '-g',
    `pid ${folder}/pid;`,
  );
  return { status, stderr };
}

const examples = [...readme.matchAll(/```nginx\n([^`]+)```/g)].map((match) => match[1] ?? '');

test('there are examples', () => {
  expect(examples.length).toBeGreaterThan(1);
});

test.each(examples)("README's configuration passes -t:\n%s", (example) => {
  expect(testOf(example)).toMatchObject({ status: 0, stderr: expect.stringContaining('test is successful') });
});

test("README's flags stand for a configuration that passes -t", () => {
  const command = /^evenkeel (serve (?:[^\n]*\\\n)+[^\n]*)/m.exec(readme)?.[1] ?? '';
  const args = command.split(/[\s\\]+/);
  expect(args).toContain('--backend');
  const { status, stdout, stderr } = evenkeel(...args, '--print-config');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain('server 10.0.0.2:8000');
  // `serve` runs for any user; where its pid goes is not for -t to try.
  expect(testOf(stdout.replace(/^pid .*\n/m, ''))).toMatchObject({ status: 0 });
});
