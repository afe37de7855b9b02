import { realpathSync, statSync } from 'node:fs';
import { fullName } from '../../config/full-name.ts';
import { systemErrorText } from '../../config/system-error.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { LocationBuild } from '../../http/http-module.ts';
import type { Template, VariableDef } from '../../http/variable.ts';
import type { HttpCoreConf } from './http-core-conf.ts';

/** Key of a location's FileRoot in `Location.compiled`. */
const FILE_ROOT = { name: 'file root' };

/** `root` or `alias` of a location: where its files would lie. */
export class FileRoot {
  readonly #directory: Template;
  /** Bytes of the URI that an alias stands for; 0 for a root. */
  readonly #replacedLength: number;

  constructor(directory: Template, replacedLength: number) {
    this.#directory = directory;
    this.#replacedLength = replacedLength;
  }

  /** `$document_root`: an absolute path. */
  directoryOf(ex: Exchange): string {
    return this.#directory.evaluate(ex);
  }

  /** `$request_filename`. */
  fileOf(ex: Exchange): string {
    return this.directoryOf(ex) + ex.uri.slice(this.#replacedLength);
  }
}

/** Compiles the root of a location and keeps it there, for variables and logs. */
export function compileFileRoot(
  conf: HttpCoreConf,
  build: Pick<LocationBuild, 'variables' | 'prefix' | 'location'>,
): void {
  const directory = build.variables.template(fullName(build.prefix, conf.root));
  const replaced = conf.isAlias ? (conf.location?.name.length ?? 0) : 0;
  build.location.compiled.set(FILE_ROOT, new FileRoot(directory, replaced));
}

/** Root of the location that serves the exchange; null before one was compiled. */
export function fileRootOf(ex: Exchange): FileRoot | null {
  return (ex.location.compiled.get(FILE_ROOT) as FileRoot | undefined) ?? null;
}

/** Null when the directory is there, else the system's words: `2: No such file or directory`. */
export function missingDirectory(path: string): string | null {
  try {
    return statSync(Buffer.from(path, 'latin1')).isDirectory() ? null : '20: Not a directory';
  } catch (error) {
    return systemErrorText(error);
  }
}

function realPath(path: string): string | null {
  try {
    return realpathSync(Buffer.from(path, 'latin1'), 'latin1');
  } catch {
    return null; // a root that isn't there has no value, as in nginx
  }
}

export const FILE_VARIABLES: readonly VariableDef[] = [
  { name: 'document_root', compile: () => (ex) => fileRootOf(ex)?.directoryOf(ex) ?? null },
  { name: 'request_filename', compile: () => (ex) => fileRootOf(ex)?.fileOf(ex) ?? null },
  {
    name: 'realpath_root',
    compile: () => (ex) => {
      const root = fileRootOf(ex);
      return root === null ? null : realPath(root.directoryOf(ex));
    },
  },
];
