import { appendFileSync, mkdirSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LoadGenerator } from './load-generator.ts';
import type { Measurement } from './measure.ts';
import type { Scenario } from './scenarios.ts';
import type { Spread } from './statistics.ts';

const results = fileURLToPath(new URL('../results', import.meta.url));

/** What the numbers depend on. */
function machine() {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
  };
}

function withQuartiles({ median, q1, q3 }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${q1.toFixed(digits)}-${q3.toFixed(digits)})`;
}

/** A table for the terminal: medians, quartiles in parentheses. */
export function tableOf(measurements: readonly Measurement[]): string {
  const rows = [
    ['', 'CPU us/request', 'ratio to nginx', 'kernel', 'requests/s', 'p50 ms', 'p99 ms', 'p99.9 ms', 'errors'],
    ...measurements.map((one) => [
      `${one.contestant} ${one.version}`,
      withQuartiles(one.cpuMicrosPerRequest, 1),
      withQuartiles(one.ratioToNginx, 2),
      `${(one.systemShare.median * 100).toFixed(0)} %`,
      one.requestsPerSec.median.toFixed(0),
      one.p50Ms.median.toFixed(2),
      one.p99Ms.median.toFixed(2),
      one.p999Ms.median.toFixed(2),
      String(one.errors),
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
    )
    .join('\n');
}

/** What the others cost, in evenkeel's CPU time: `nginx 0.9, http-proxy 7.2`. Empty when evenkeel took no part. */
export function costOverEvenkeel(measurements: readonly Measurement[]): string {
  const own = measurements.find(({ contestant }) => contestant === 'evenkeel')?.ratioToNginx.median;
  if (own === undefined) return '';
  return measurements
    .filter(({ contestant }) => contestant !== 'evenkeel')
    .map(({ contestant, ratioToNginx }) => `${contestant} ${(ratioToNginx.median / own).toFixed(2)}`)
    .join(', ');
}

/** Appends one JSON line for each contestant to bench/results/SCENARIO.jsonl and returns the file's name. */
export function writeResults(
  scenario: Scenario,
  generator: LoadGenerator,
  measurements: readonly Measurement[],
): string {
  mkdirSync(results, { recursive: true });
  const file = join(results, `${scenario.name}.jsonl`);
  const common = {
    date: new Date().toISOString(),
    scenario: scenario.name,
    generator: `${generator.name} ${generator.version}`,
    machine: machine(),
  };
  for (const one of measurements) appendFileSync(file, `${JSON.stringify({ ...common, ...one })}\n`);
  return file;
}
