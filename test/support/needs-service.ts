import { describe, test } from 'vitest';
import { POSTGRES_BIN } from './postgres.ts';
import { REDIS_SERVER } from './redis.ts';

const INSTALLED = { PostgreSQL: POSTGRES_BIN !== undefined, Redis: REDIS_SERVER !== undefined } as const;
export type Service = keyof typeof INSTALLED;

/** Tests with real servers. Where one of them is not installed they are skipped and say so; on CI that is a failure. */
export function describeWith(services: readonly Service[], title: string, tests: () => void): void {
  const missing = services.filter((service) => !INSTALLED[service]);
  if (missing.length === 0) {
    describe(title, tests);
  } else if (process.env['CI'] === 'true') {
    test(title, () => {
      throw new Error(`${missing.join(' and ')} not installed: run .ci/setup.mjs --oracle as root on Debian`);
    });
  } else {
    describe.skip(`${title} (skipped: ${missing.join(' and ')} not installed)`, tests);
  }
}
