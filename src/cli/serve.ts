import { writeStdout } from '../observe/stderr.ts';
import { textSource } from '../process/config-source.ts';
import { run } from '../process/run.ts';
import { checkServe } from './check-serve.ts';
import { serveConf } from './serve-conf.ts';
import type { ServeFlags } from './serve-flags.ts';

/** `evenkeel serve`. Resolves the exit code; rejects with UsageError when the flags make no sound configuration. */
export async function serve(flags: ServeFlags): Promise<number> {
  const text = asBytes(serveConf(flags));
  const source = textSource(text, 'evenkeel serve', `${asBytes(process.cwd())}/`);
  checkServe(flags, source);
  if (flags.printConfig) {
    writeStdout(text);
    return 0;
  }
  return run({ source, defaultErrorLog: asBytes(flags.errorLog), title: 'evenkeel' });
}

function asBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
