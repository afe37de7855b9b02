import { respondStatus } from '../../http/error-response.ts';
import type { Exchange } from '../../http/exchange.ts';
import { DONE, NEXT, type PhaseHandler } from '../../http/location.ts';
import { internalRedirect, namedLocation } from '../../http/phases.ts';
import type { Template, VariableCompiler } from '../../http/variable.ts';
import { type FileRoot, fileRootOf } from '../http-core/file-root.ts';
import { isFailure, statFile } from '../static/open-file.ts';
import type { TryFilesConf } from './parse-try-files.ts';

interface Tried {
  readonly name: Template;
  readonly isDirectory: boolean;
}

/** Failures that mean no more than that it isn't there. */
const NOT_THERE = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'];

/** Gives the request the URI of the first file that is there, else goes where the last argument says. */
export function tryFiles({ files, last, pos }: TryFilesConf, variables: VariableCompiler): PhaseHandler {
  variables.pos = pos;
  const tried: readonly Tried[] = files.map(({ name, isDirectory }) => ({
    name: variables.template(name),
    isDirectory,
  }));
  const target = typeof last === 'string' ? variables.template(last) : null;
  return (ex) => {
    const root = fileRootOf(ex);
    if (root === null) return NEXT;
    for (const { name, isDirectory } of tried) {
      const file = nameBelow(ex, root, name);
      const path = root.pathTo(ex, root.directoryOf(ex) + file);
      if (path === null) {
        respondStatus(ex, 500);
        return DONE;
      }
      if (!isThere(ex, root, path, isDirectory)) continue;
      useFile(ex, root, file, isDirectory);
      return NEXT;
    }
    if (target !== null) goTo(ex, nameBelow(ex, root, target));
    else respondStatus(ex, Number(last));
    return DONE;
  };
}

/** The name with its variables; what an alias stands for is taken off its begin. */
function nameBelow(ex: Exchange, root: FileRoot, template: Template): string {
  const name = template.evaluate(ex);
  const { aliasLength } = root;
  if (template.constant !== null || aliasLength === 0) return name;
  return name.startsWith(ex.uri.slice(0, aliasLength)) ? name.slice(aliasLength) : name;
}

function isThere(ex: Exchange, root: FileRoot, path: string, isDirectory: boolean): boolean {
  const found = statFile(path, root.linksOf(ex, path));
  if (!isFailure(found)) return found.isDirectory() === isDirectory;
  if (!NOT_THERE.includes(found.code)) ex.location.errorLog.write('crit', ex, found.text);
  return false;
}

function useFile(ex: Exchange, root: FileRoot, file: string, isDirectory: boolean): void {
  if (!root.isAlias) ex.uri = file;
  else if (!root.isAliasOfRegex) ex.uri = ex.uri.slice(0, root.aliasLength) + file;
  else if (!isDirectory) {
    ex.uri = file;
    ex.addsUriToAlias = true;
  }
}

function goTo(ex: Exchange, to: string): void {
  if (to.startsWith('@')) {
    namedLocation(ex, to);
    return;
  }
  const query = to.indexOf('?');
  if (query < 0) internalRedirect(ex, to, '');
  else internalRedirect(ex, to.slice(0, query), to.slice(query + 1));
}
