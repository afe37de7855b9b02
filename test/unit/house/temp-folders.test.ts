import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const TESTS = join(import.meta.dirname, '../..');
const MAKER = 'support/temp-folder.ts';

test('tests make temporary folders by support/temp-folder.ts alone, which removes them', () => {
  const makers = readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && file !== MAKER && join(TESTS, file) !== import.meta.filename)
    .filter((file) => /\bmkdtemp(Sync)?\b|\btmpdir\(/.test(readFileSync(join(TESTS, file), 'utf8')));
  expect(makers).toEqual([]);
});
