// npm run bench -- --help tells what it can do.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Backend, startBackend } from './backend.ts';
import { makeCertificate } from './certificate.ts';
import { CONTESTANTS, type Contestant, startContestants } from './contestants.ts';
import { chooseLoadGenerator, generatorFor } from './load-generator.ts';
import { measure } from './measure.ts';
import { costOverEvenkeel, tableOf, writeResults } from './report.ts';
import { isPlain, SCENARIOS } from './scenarios.ts';
import { usage } from './usage.ts';

const { values, positionals } = readArguments();
if (values.help) {
  console.log(usage());
  process.exit(0);
}
const known = SCENARIOS.map(({ name }) => name);
const unknown = positionals.filter((name) => name !== 'all' && !known.includes(name));
if (unknown.length > 0) {
  console.error(`no such scenario: ${unknown.join(', ')}; there are: all, ${known.join(', ')}`);
  process.exit(1);
}
const wanted = positionals.length > 0 ? positionals : known.slice(0, 1);
const scenarios = SCENARIOS.filter(({ name }) => wanted.includes(name) || wanted.includes('all'));

const folder = mkdtempSync(join(tmpdir(), 'evenkeel-bench-'));
chmodSync(folder, 0o755); // nginx's workers run as another user
const contestants: Contestant[] = [];
let backend: Backend | null = null;

async function cleanUp(): Promise<void> {
  await Promise.all([...contestants.map(({ server }) => server.stop()), backend?.server.stop()]);
  rmSync(folder, { recursive: true, force: true });
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void cleanUp().finally(() => process.exit(130)));
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K  ${text}`);
  else console.error(`  ${text}`);
}

try {
  const generator = chooseLoadGenerator();
  console.error(`load by ${generator.name} ${generator.version}; contestants:`);
  makeCertificate(folder);
  backend = await startBackend(folder);
  await startContestants(values.only.split(','), backend.ports, folder, contestants);
  if (contestants[0]?.name !== 'nginx')
    throw new Error('nginx is the measure of all the others and is missing here: apt-get install nginx');
  for (const scenario of scenarios) {
    console.error(`\n${scenario.name}: ${scenario.title}`);
    const measurements = await measure({
      scenario,
      generator: generatorFor(scenario, generator),
      contestants: contestants.filter(({ isComplete }) => isComplete || isPlain(scenario)),
      rounds: Number(values.rounds),
      windowSeconds: Number(values.seconds),
      warmUpSeconds: Math.max(3, Number(values.seconds)),
      progress,
    });
    progress('');
    console.log(`\n${scenario.title}\n${tableOf(measurements)}`);
    const others = costOverEvenkeel(measurements);
    if (others !== '') console.log(`CPU of the others, with evenkeel's as 1: ${others}`);
    console.error(`written to ${writeResults(scenario, generatorFor(scenario, generator), measurements)}`);
    const ratio = measurements.find(({ contestant }) => contestant === 'evenkeel')?.ratioToNginx.median;
    const limit = values['max-ratio'];
    if (limit !== undefined && !(ratio !== undefined && ratio <= Number(limit))) {
      console.error(`evenkeel's ratio to nginx is ${ratio?.toFixed(2) ?? 'unknown'}, the limit is ${limit}`);
      process.exitCode = 1;
    }
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await cleanUp();
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        rounds: { type: 'string', default: '10' },
        seconds: { type: 'string', default: '2' },
        only: { type: 'string', default: CONTESTANTS.map(({ name }) => name).join(',') },
        'max-ratio': { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    console.error(`${(error as Error).message.replace(/\. To specify .*/s, '')}\n\n${usage()}`);
    process.exit(1);
  }
}
