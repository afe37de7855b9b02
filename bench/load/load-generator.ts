import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
const tlsClients = fileURLToPath(new URL('./tls-clients.ts', import.meta.url));
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

function schemeOf({ transport }: Scenario): string {
  return transport === 'plain' ? 'http' : 'https';
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
    `${schemeOf(scenario)}://127.0.0.1:${port}`,
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
  const result = JSON.parse(
    await outputOf(process.execPath, [autocannon, ...args, `${schemeOf(scenario)}://127.0.0.1:${port}${path}`]),
  );
  return {
    requests: result['2xx'],
    durationMicros: result.duration * 1e6,
    p50Micros: result.latency.p50 * 1000,
    p99Micros: result.latency.p99 * 1000,
    p999Micros: result.latency.p99_9 * 1000,
    errors: result.errors + result.non2xx,
  };
}

async function runTlsClients(port: number, scenario: Scenario, seconds: number): Promise<LoadResult> {
  const { path, connections, transport } = scenario;
  const args = [port, path, connections, seconds, transport === 'tls-resumed' ? 'resumed' : 'full'].map(String);
  const output = await outputOf(process.execPath, [tlsClients, ...args]);
  const result = JSON.parse(output) as LoadResult & { readonly resumed: number };
  // A row that says "resumed" must not count full handshakes: the first of each lane is one, and no more.
  if (transport === 'tls-resumed' && result.requests - result.resumed > connections + result.errors)
    throw new Error(`only ${result.resumed} of ${result.requests} TLS connections were resumed`);
  return result;
}

/** Times of single requests go through a file: h2load itself only tells their mean. */
async function runH2load(port: number, { path, connections }: Scenario, seconds: number): Promise<LoadResult> {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-h2load-'));
  try {
    const log = join(folder, 'times');
    const args = ['-t1', `-c${connections}`, '-m100', '-D', String(seconds), `--log-file=${log}`];
    const output = await outputOf('h2load', [...args, `https://127.0.0.1:${port}${path}`]);
    const counts = /requests: \d+ total, \d+ started, \d+ done, (\d+) succeeded, (\d+) failed/.exec(output);
    if (counts === null) throw new Error(`h2load said: ${output}`);
    // start time, status, time taken; in us
    const times = readFileSync(log, 'latin1')
      .split('\n')
      .filter((line) => line.includes('\t200\t'));
    const micros = times.map((line) => Number(line.slice(line.lastIndexOf('\t') + 1))).sort((a, b) => a - b);
    const at = (share: number): number => micros[Math.floor((micros.length - 1) * share)] ?? 0;
    return {
      requests: Number(counts[1]),
      durationMicros: seconds * 1e6,
      p50Micros: at(0.5),
      p99Micros: at(0.99),
      p999Micros: at(0.999),
      // Requests that the end of the window cuts off are none.
      errors: micros.length === 0 ? Number(counts[2]) : 0,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The one that can do what the scenario wants: `usual` for HTTP/1.1 without a handshake each. */
export function generatorFor({ transport }: Scenario, usual: LoadGenerator): LoadGenerator {
  if (transport === 'tls-resumed' || transport === 'tls-full')
    return { name: 'node:tls', version: process.versions.node, run: runTlsClients };
  if (transport === 'h2') {
    const version = programVersion('h2load', ['--version']);
    if (version === null) throw new Error('h2load is missing here: apt-get install nghttp2-client');
    return { name: 'h2load', version, run: runH2load };
  }
  return usual;
}

/** wrk where it is installed, else autocannon. */
export function chooseLoadGenerator(): LoadGenerator {
  const wrk = programVersion('wrk', ['-v']);
  if (wrk !== null) return { name: 'wrk', version: wrk, run: runWrk };
  return { name: 'autocannon', version: packageVersion('autocannon'), run: runAutocannon };
}
