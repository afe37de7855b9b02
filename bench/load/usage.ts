import { CONTESTANTS } from './contestants.ts';
import { SCENARIOS } from './scenarios.ts';

/** What `npm run bench -- --help` prints. */
export function usage(): string {
  const width = Math.max(...SCENARIOS.map(({ name }) => name.length));
  return `CPU time per request, as a ratio to nginx's: nginx and other proxies beside evenkeel, in alternating runs.

npm run bench                          the first scenario
npm run bench -- SCENARIO ...          these; all: every one
npm run bench -- --rounds=20 all       with options

Options:
  --only=NAME,NAME   contestants (all): ${CONTESTANTS.map(({ name }) => name).join(', ')}
  --rounds=N         windows of load for each contestant (10)
  --seconds=N        length of a window (2)
  --max-ratio=N      exit 1 when evenkeel costs more than N times nginx's CPU
  --help             this

Scenarios:
${SCENARIOS.map(({ name, title }) => `  ${name.padEnd(width)}   ${title}`).join('\n')}`;
}
