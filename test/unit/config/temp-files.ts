import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { tempFolder } from '../../support/temp-folder.ts';

/** A fresh directory with these files (latin1), its name ending in `/`. Whoever asks for it removes it. */
export function writeTempFiles(files: Readonly<Record<string, string>>): string {
  const directory = `${tempFolder('config')}/`;
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(directory + name), { recursive: true });
    writeFileSync(directory + name, text, 'latin1');
  }
  return directory;
}

export function removeTempFiles(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}
