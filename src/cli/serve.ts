import { writeStdout } from '../observe/stderr.ts';
import { textSource } from '../process/config-source.ts';
import { run } from '../process/run.ts';
import { serveConf } from './serve-conf.ts';
import type { ServeFlags } from './serve-flags.ts';

/** `evenkeel serve`. Resolves the exit code. */
export async function serve(flags: ServeFlags): Promise<number> {
  const text = asBytes(serveConf(flags));
  if (flags.printConfig) {
    writeStdout(text);
    return 0;
  }
  const source = textSource(text, 'evenkeel serve', `${asBytes(process.cwd())}/`);
  return run({ source, defaultErrorLog: asBytes(flags.errorLog), title: 'evenkeel' });
}

function asBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
