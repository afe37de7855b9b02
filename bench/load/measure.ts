import type { Contestant } from './contestants.ts';
import type { LoadGenerator, LoadResult } from './load-generator.ts';
import { cpuTimeOf } from './process-cpu.ts';
import type { Scenario } from './scenarios.ts';
import { type Spread, shuffled, spreadOf } from './statistics.ts';

/** One contestant under load for some seconds. */
interface Window {
  readonly load: LoadResult;
  /** User and system time of all its processes, over the requests that were answered. */
  readonly cpuMicrosPerRequest: number;
  readonly systemShare: number;
}

/** A contestant's result in one scenario. */
export interface Measurement {
  readonly contestant: string;
  readonly version: string;
  readonly cpuMicrosPerRequest: Spread;
  /** To the mean of nginx's windows right before and right after. nginx's own: 1, by definition. */
  readonly ratioToNginx: Spread;
  readonly systemShare: Spread;
  readonly requestsPerSec: Spread;
  readonly p50Ms: Spread;
  readonly p99Ms: Spread;
  readonly p999Ms: Spread;
  readonly errors: number;
  readonly windows: number;
}

export interface MeasureOptions {
  readonly scenario: Scenario;
  readonly generator: LoadGenerator;
  /** The first is the reference. */
  readonly contestants: readonly Contestant[];
  readonly rounds: number;
  readonly windowSeconds: number;
  readonly warmUpSeconds: number;
  progress(text: string): void;
}

function portFor({ ports }: Contestant, { transport }: Scenario): number {
  return transport === 'plain' ? ports.plain : ports.tls;
}

/**
 * Runs the contestants in turn, in random order, with a window of the reference before and after each: a machine that gets slower or
 * faster meanwhile does so for both.
 */
export async function measure(options: MeasureOptions): Promise<Measurement[]> {
  const { scenario, generator, contestants, rounds, windowSeconds, progress } = options;
  const [reference, ...others] = contestants;
  if (reference === undefined) throw new Error('nobody to measure');

  const runWindow = async (contestant: Contestant, seconds: number): Promise<Window> => {
    const before = cpuTimeOf(contestant.server.pid);
    const load = await generator.run(portFor(contestant, scenario), scenario, seconds);
    const after = cpuTimeOf(contestant.server.pid);
    const system = after.systemMicros - before.systemMicros;
    const total = after.userMicros - before.userMicros + system;
    return { load, cpuMicrosPerRequest: total / load.requests, systemShare: system / total };
  };

  for (const contestant of contestants) {
    progress(`warm-up: ${contestant.name}`);
    await runWindow(contestant, options.warmUpSeconds);
  }
  const windows = new Map<string, Window[]>(contestants.map(({ name }) => [name, []]));
  const ratios = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    let referenceBefore: Window | null = null;
    for (const contestant of shuffled(others)) {
      progress(`round ${round} of ${rounds}: ${contestant.name}`);
      referenceBefore ??= await runWindow(reference, windowSeconds);
      const window = await runWindow(contestant, windowSeconds);
      const referenceAfter = await runWindow(reference, windowSeconds);
      const nearby = (referenceBefore.cpuMicrosPerRequest + referenceAfter.cpuMicrosPerRequest) / 2;
      windows.get(contestant.name)?.push(window);
      ratios.get(contestant.name)?.push(window.cpuMicrosPerRequest / nearby);
      windows.get(reference.name)?.push(referenceAfter);
      referenceBefore = referenceAfter;
    }
    if (others.length === 0) windows.get(reference.name)?.push(await runWindow(reference, windowSeconds));
  }
  return contestants.map(({ name, version }) => {
    const own = windows.get(name) ?? [];
    return {
      contestant: name,
      version,
      cpuMicrosPerRequest: spreadOf(own.map((window) => window.cpuMicrosPerRequest)),
      ratioToNginx: name === reference.name ? { median: 1, q1: 1, q3: 1 } : spreadOf(ratios.get(name) ?? []),
      systemShare: spreadOf(own.map((window) => window.systemShare)),
      requestsPerSec: spreadOf(own.map(({ load }) => (load.requests / load.durationMicros) * 1e6)),
      p50Ms: spreadOf(own.map(({ load }) => load.p50Micros / 1000)),
      p99Ms: spreadOf(own.map(({ load }) => load.p99Micros / 1000)),
      p999Ms: spreadOf(own.map(({ load }) => load.p999Micros / 1000)),
      errors: own.reduce((sum, { load }) => sum + load.errors, 0),
      windows: own.length,
    };
  });
}
