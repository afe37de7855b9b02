import { realpathSync, statSync } from 'node:fs';
import { fullName } from '../../config/full-name.ts';
import { systemErrorText } from '../../config/system-error.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { LocationBuild } from '../../http/http-module.ts';
import type { Template, VariableDef } from '../../http/variable.ts';
import { ALL_LINKS, type SymlinkCheck, type SymlinkRule } from '../static/open-file.ts';
import { ALIAS_OF_REGEX, type HttpCoreConf } from './http-core-conf.ts';

/** Key of a location's FileRoot in `Location.compiled`. */
const FILE_ROOT = { name: 'file root' };

/** `..` as a whole part of a path. */
const UPWARDS = /(?:^|\/)\.\.(?=\/|$)/g;

/** `root` or `alias` of a location: where its files lie. */
export class FileRoot {
  readonly #directory: Template;
  readonly #prefix: string;
  readonly #aliasLength: number;
  readonly #rule: SymlinkRule;
  readonly #from: Template | null;

  constructor(conf: HttpCoreConf, { variables, prefix }: Pick<LocationBuild, 'variables' | 'prefix'>) {
    this.#directory = variables.template(conf.root.includes('$') ? conf.root : fullName(prefix, conf.root));
    this.#prefix = prefix;
    this.#aliasLength = conf.aliasLength;
    this.#rule = conf.symlinks.rule;
    this.#from = conf.symlinks.from === null ? null : variables.template(conf.symlinks.from);
  }

  get isAlias(): boolean {
    return this.#aliasLength !== 0;
  }

  /** The alias is the whole name of a file, unless `try_files` found something below it. */
  get isAliasOfRegex(): boolean {
    return this.#aliasLength === ALIAS_OF_REGEX;
  }

  /** The part of a path that the alias stands for. */
  get aliasLength(): number {
    return Math.max(this.#aliasLength, 0);
  }

  /** `$document_root`: an absolute path. */
  directoryOf(ex: Exchange): string {
    return fullName(this.#prefix, this.#directory.evaluate(ex));
  }

  /** `$request_filename`. */
  fileOf(ex: Exchange): string {
    const directory = this.directoryOf(ex);
    if (this.isAliasOfRegex) return ex.addsUriToAlias ? directory + ex.uri : directory;
    return directory + ex.uri.slice(this.aliasLength);
  }

  /** Name of the file that is asked for; null: there is none, which is logged. */
  pathOf(ex: Exchange): string | null {
    return this.pathTo(ex, this.fileOf(ex));
  }

  /** The same for a path that somebody has put together: it must not lead out of the directory. */
  pathTo(ex: Exchange, path: string): string | null {
    const { errorLog, name } = ex.location;
    if (this.isAlias && !ex.isPrefixValid) {
      errorLog.write('alert', ex, `"alias" cannot be used in location "${name}" where URI was rewritten`);
      return null;
    }
    if (path.includes('..') && upwards(path) > upwards(this.directoryOf(ex))) {
      errorLog.write('error', ex, `"${path}" leads out of its root`);
      return null;
    }
    return path;
  }

  /** What `disable_symlinks` says of a path. */
  linksOf(ex: Exchange, path: string): SymlinkCheck {
    if (this.#rule === 'off') return ALL_LINKS;
    const from = this.#from?.evaluate(ex) ?? '';
    if (from === '' || !path.startsWith(from)) return { rule: this.#rule, trustedLength: 0 };
    if (from.length === path.length) return ALL_LINKS;
    if (path[from.length] === '/') return { rule: this.#rule, trustedLength: from.length };
    return { rule: this.#rule, trustedLength: from.endsWith('/') ? from.length - 1 : 0 };
  }
}

function upwards(path: string): number {
  return path.match(UPWARDS)?.length ?? 0;
}

/** Compiles the root of a location and keeps it there, for variables and logs. */
export function compileFileRoot(
  conf: HttpCoreConf,
  build: Pick<LocationBuild, 'variables' | 'prefix' | 'location'>,
): FileRoot {
  const root = new FileRoot(conf, build);
  build.location.compiled.set(FILE_ROOT, root);
  return root;
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
