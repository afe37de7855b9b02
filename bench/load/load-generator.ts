import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { packageVersion, programVersion } from './contestants.ts';
import type { Scenario } from './scenarios.ts';

/** What one window of load saw from outside. */
export interface LoadResult {
  readonly requests: number;
  readonly durationMicros: number;
  readonly p50Micros: number;
  readonly p99Micros: number;
  readonly p999Micros: number;
  /** Connections that failed and answers that were not 2xx or 3xx. */
  readonly errors: number;
}

export interface LoadGenerator {
  readonly name: string;
  readonly version: string;
  run(port: number, scenario: Scenario, seconds: number): Promise<LoadResult>;
}

const report = fileURLToPath(new URL('./wrk-report.lua', import.meta.url));
const autocannon = fileURLToPath(new URL('../../node_modules/autocannon/autocannon.js', import.meta.url));

async function outputOf(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  let output = '';
  for await (const chunk of child.stdout) output += chunk;
  return output;
}

function headersOf(scenario: Scenario): Record<string, string> {
  return scenario.isOneShot ? { ...scenario.headers, Connection: 'close' } : { ...scenario.headers };
}

async function runWrk(port: number, scenario: Scenario, seconds: number): Promise<LoadResult> {
  const { method, path, distinctPaths, bodyBytes, connections } = scenario;
  const toReport = [
    method,
    path,
    String(distinctPaths),
    String(bodyBytes),
    ...Object.entries(headersOf(scenario)).flat(),
  ];
  const args = [
    '-t1',
    `-c${connections}`,
    `-d${seconds}s`,
    '-s',
    report,
    `http://127.0.0.1:${port}`,
    '--',
    ...toReport,
  ];
  const output = await outputOf('wrk', args);
  const line = output.trim().split('\n').at(-1) ?? '';
  if (!line.startsWith('{')) throw new Error(`wrk said: ${output}`);
  return JSON.parse(line);
}

async function runAutocannon(port: number, scenario: Scenario, seconds: number): Promise<LoadResult> {
  const { method, path, distinctPaths, bodyBytes, connections } = scenario;
  if (distinctPaths > 1) throw new Error(`scenario ${scenario.name} needs wrk`);
  const args = ['--json', '--connections', String(connections), '--duration', String(seconds), '--method', method];
  for (const [name, value] of Object.entries(headersOf(scenario))) args.push('--headers', `${name}=${value}`);
  if (bodyBytes > 0) args.push('--body', 'x'.repeat(bodyBytes));
  const result = JSON.parse(await outputOf(process.execPath, [autocannon, ...args, `http://127.0.0.1:${port}${path}`]));
  return {
    requests: result['2xx'],
    durationMicros: result.duration * 1e6,
    p50Micros: result.latency.p50 * 1000,
    p99Micros: result.latency.p99 * 1000,
    p999Micros: result.latency.p99_9 * 1000,
    errors: result.errors + result.non2xx,
  };
}

/** wrk where it is installed, else autocannon. */
export function chooseLoadGenerator(): LoadGenerator {
  const wrk = programVersion('wrk', ['-v']);
  if (wrk !== null) return { name: 'wrk', version: wrk, run: runWrk };
  return { name: 'autocannon', version: packageVersion('autocannon'), run: runAutocannon };
}
