import { writeSync } from 'node:fs';

/** Writes a byte string to the process's stderr, at once and in order; `process.stderr` would make a pipe non-blocking for everybody who shares it. */
export function writeStderr(text: string): void {
  try {
    writeSync(2, text, null, 'latin1');
  } catch {
    // closed, or its reader is gone: there is nobody left to tell
  }
}

/** The same for stdout. */
export function writeStdout(text: string): void {
  let rest = Buffer.from(text, 'latin1');
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(1, rest));
  } catch {
    // the reader is gone (`nginx -T | head`)
  }
}
