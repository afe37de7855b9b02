import type { ConfigSnapshot } from './tree.ts';

/** What `-T` prints behind the lines of `-t`: every file once, verbatim, in the order read. A byte string. */
export function dumpConfig(snapshot: ConfigSnapshot): string {
  return snapshot.files.map((file) => `# configuration file ${file.path}:\n${file.text}\n`).join('');
}
