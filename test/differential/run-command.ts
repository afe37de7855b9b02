import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { within } from '../support/deadline.ts';
import type { Program } from '../support/program.ts';
import { makePrefix } from '../support/start-proxy.ts';
import { normalize } from './normalize.ts';

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Text of the file that the command `shows`. */
  readonly file: string;
}

export interface Command {
  /** nginx's flags; `-p PREFIX/` comes before them unless `isBare`. `%%DIR%%` is the prefix directory. */
  readonly args: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  readonly isBare?: boolean;
  /** A file of the prefix directory that is looked at afterwards. */
  readonly shows?: string;
}

/** Runs one command in a fresh prefix directory; what it said comes back with the directory, times and versions made equal. */
export async function runCommand(program: Program, command: Command): Promise<CommandResult> {
  const prefix = makePrefix('command');
  try {
    for (const [path, text] of Object.entries(command.files ?? {})) {
      mkdirSync(dirname(join(prefix, path)), { recursive: true });
      writeFileSync(join(prefix, path), text.replaceAll('%%DIR%%', prefix), 'latin1');
    }
    const [executable, ...before] = program.command;
    const own = command.args.map((arg) => arg.replaceAll('%%DIR%%', prefix));
    const args = [...before, ...(command.isBare ? [] : ['-p', `${prefix}/`]), ...own];
    const said = await within(collect(executable, args, prefix), 20_000, `${program.name} ${own.join(' ')}`);
    const tidy = (text: string) =>
      normalize(text.replaceAll(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d /gm, ''), [
        { from: prefix, to: '%%DIR%%' },
      ]).replaceAll(/ \d+#\d+: /g, ' ');
    const file = command.shows === undefined ? '' : readFileSync(join(prefix, command.shows), 'latin1');
    return { code: said.code, stdout: tidy(said.stdout), stderr: tidy(said.stderr), file: tidy(file) };
  } finally {
    rmSync(prefix, { recursive: true, force: true });
  }
}

function collect(executable: string, args: readonly string[], cwd: string): Promise<Omit<CommandResult, 'file'>> {
  return new Promise((resolve, reject) => {
    const child = spawn(executable, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('latin1').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('latin1').on('data', (text: string) => (stderr += text));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}
