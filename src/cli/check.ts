import { setTimeout as sleep } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { writeStderr, writeStdout } from '../observe/stderr.ts';
import { DEFAULT_EVERY } from './check-command-flags.ts';
import { areAllHealthy, checkDocument } from './check-document.ts';
import { once, parseSpan, readCheckFlags } from './check-flags.ts';
import { planChecks } from './check-plan.ts';
import { checkTable } from './check-table.ts';
import { readVariables } from './check-variables.ts';
import { endSignal } from './end-signal.ts';
import { type Look, lookAtStack } from './look.ts';
import { UsageError } from './usage-error.ts';

/** `evenkeel check`. Resolves the exit code; rejects with UsageError when there is nothing sound to look at. */
export async function check(argv: Readonly<Record<string, unknown>>): Promise<number> {
  const variables = readVariables(process.env, once('env-file', argv['envFile']));
  const flags = readCheckFlags(argv, variables);
  const plan = planChecks(flags, variables);
  const everyMs = readWatch(argv['watch']);
  for (const note of plan.notes) writeStderr(`evenkeel: ${note}\n`);
  const print = argv['json'] === true ? printJson : printTable(argv['color']);
  if (everyMs === null) {
    const look = await lookAtStack(plan, flags);
    print(look, false);
    return areAllHealthy(look.outcomes) ? 0 : 1;
  }
  return watch(everyMs, print, (signal) => lookAtStack(plan, flags, signal));
}

type Print = (look: Look, isWatching: boolean) => void;

/** Until a signal; the last whole round decides the exit code. */
async function watch(everyMs: number, print: Print, look: (signal: AbortSignal) => Promise<Look>): Promise<number> {
  const end = endSignal();
  let areWell = false;
  while (!end.aborted) {
    const seen = await look(end);
    // Half a round says nothing.
    if (end.aborted) break;
    areWell = areAllHealthy(seen.outcomes);
    print(seen, true);
    await sleep(Math.max(0, everyMs - seen.durationMs), undefined, { signal: end }).catch(() => undefined); // the end
  }
  return areWell ? 0 : 1;
}

const printJson: Print = ({ outcomes, startedWallMs, durationMs }, isWatching) => {
  const document = checkDocument(outcomes, startedWallMs, durationMs);
  writeText(`${JSON.stringify(document, null, isWatching ? 0 : 2)}\n`);
};

function printTable(color: unknown): Print {
  // Not process.stdout's word for it: to ask it makes a pipe non-blocking, and what does not fit into it at once is lost.
  const isTerminal = isatty(1);
  const hasColour = typeof color === 'boolean' ? color : isTerminal && (process.env['NO_COLOR'] ?? '') === '';
  return ({ outcomes, startedWallMs }, isWatching) => {
    // On a terminal each round takes the place of the one before.
    const clear = isWatching && isTerminal ? '\x1b[H\x1b[2J' : '';
    const when = isWatching ? `${new Date(startedWallMs).toISOString()}\n` : '';
    writeText(clear + when + checkTable(outcomes, hasColour));
  };
}

/** Null: look once. */
function readWatch(value: unknown): number | null {
  const text = once('watch', value);
  if (text === undefined) return null;
  const everyMs = parseSpan(text === '' ? DEFAULT_EVERY : text);
  if (everyMs === null) throw new UsageError(`--watch ${text}: a time from 1ms: 2, 500ms, 1m`);
  return everyMs;
}

function writeText(text: string): void {
  writeStdout(Buffer.from(text, 'utf8').toString('latin1'));
}
