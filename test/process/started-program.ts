import { type ChildProcess, spawn } from 'node:child_process';
import { EVENKEEL } from '../support/program.ts';
import type { ProgramRun } from './run-program.ts';

/** evenkeel, running. */
export interface StartedProgram {
  readonly pid: number;
  /** What it has said so far, on stdout and stderr. */
  output(): string;
  /** Sends a signal and waits for its end; its exit code, null when the signal killed it. Once it has ended: nothing is sent. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

const started = new Set<ChildProcess>();

/** Starts evenkeel with these arguments. Whoever starts one calls `endStarted` when all is over. */
export function startProgram(args: readonly string[], env: NodeJS.ProcessEnv = {}): StartedProgram {
  const [executable, ...before] = EVENKEEL.command;
  const child = spawn(executable, [...before, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  started.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return { pid: child.pid ?? 0, output: () => output, end: (signal = 'SIGTERM') => end(child, signal) };
}

/** Ends all that were started and still run. */
export async function endStarted(): Promise<void> {
  for (const child of started) await end(child, 'SIGTERM');
  started.clear();
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const exit = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await exit;
  }
  return child.exitCode;
}

/** What a run printed, as a person sees it. */
export function shown({ stdout }: ProgramRun): string {
  return Buffer.from(stdout, 'latin1').toString('utf8');
}
