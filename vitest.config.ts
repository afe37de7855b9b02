import { defineConfig } from 'vitest/config';

/** No sockets, no processes: quick, and run first. */
const PURE = ['unit', 'contract', 'wire', 'config'].map((folder) => `test/${folder}/**/*.test.ts`);
/** Needs a Docker engine: only by `npm run test:docker`. */
const DOCKER = ['test/docker/**/*.test.ts'];
/** Everything else: real sockets, real processes, real time (integration, differential, fault, process). */
const LIVE = ['test/**/*.test.ts'];

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    retry: 0,
    reporters: ['default', './test/summary-reporter.ts'],
    coverage: { provider: 'v8', include: ['src/**'] },
    projects: [
      { extends: true, test: { name: 'pure', include: PURE, sequence: { groupOrder: 0 } } },
      {
        extends: true,
        test: { name: 'live', include: LIVE, exclude: [...PURE, ...DOCKER], sequence: { groupOrder: 1 } },
      },
      { extends: true, test: { name: 'docker', include: DOCKER, testTimeout: 300_000, hookTimeout: 1_200_000 } },
    ],
  },
});
