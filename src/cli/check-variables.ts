import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { strerror } from '../core/strerror.ts';
import type { Variables } from './check-flags.ts';
import { UsageError } from './usage-error.ts';

/** The environment, and behind it the lines of `--env-file`. Throws UsageError when that can't be read. */
export function readVariables(environment: Variables, envFile: string | undefined): Variables {
  if (envFile === undefined) return environment;
  return { ...parseEnv(readText('--env-file', envFile)), ...definedOnly(environment) };
}

/** Text of a file that a flag or variable names, UTF-8. Its content is in no message. */
export function readText(from: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(
      `${from} ${path}: ${strerror((error as NodeJS.ErrnoException).code ?? '').replace(/^[0-9]+: /, '')}`,
    );
  }
}

/**
 * A secret: the variable, or what is in the file that the variable `…_FILE` names, without its last line's end (as Docker's images have it).
 * Undefined: there is none.
 */
export function readSecret(variables: Variables, name: string): string | undefined {
  const value = variables[name];
  if (value !== undefined && value !== '') return value;
  const file = variables[`${name}_FILE`];
  if (file === undefined || file === '') return undefined;
  return readText(`${name}_FILE`, file).replace(/\r?\n$/, '');
}

function definedOnly(environment: Variables): Variables {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined));
}
