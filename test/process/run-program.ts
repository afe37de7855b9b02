import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { within } from '../support/deadline.ts';
import { EVENKEEL } from '../support/program.ts';
import { makePrefix } from '../support/start-proxy.ts';

export interface ProgramRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly uid?: number;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs evenkeel with these arguments to its end. */
export function runProgram(args: readonly string[], options: RunOptions = {}): Promise<ProgramRun> {
  const [executable, ...before] = EVENKEEL.command;
  const child = spawn(executable, [...before, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('latin1').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('latin1').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<ProgramRun>((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
  return within(ended, 20_000, `evenkeel ${args.join(' ')}`);
}

/** A prefix directory with these files in it. */
export function prefixWith(files: Readonly<Record<string, string>>): string {
  const prefix = makePrefix('evenkeel');
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(prefix, path)), { recursive: true });
    writeFileSync(join(prefix, path), text, 'latin1');
  }
  return prefix;
}
