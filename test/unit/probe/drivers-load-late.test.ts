import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { sourceFiles } from '../house/source-imports.ts';

const SRC = fileURLToPath(new URL('../../../src/', import.meta.url));

test('pg and ioredis are loaded when a probe needs them: no worker of the balancer pays for them', () => {
  const atOnce = sourceFiles(SRC).filter((file) =>
    /^import (?!type)[^;]*from '(?:pg|ioredis)'/m.test(readFileSync(SRC + file, 'utf8')),
  );
  expect(atOnce).toEqual([]);
});
