import { closeSync } from 'node:fs';
import { respondRedirect, respondStatus } from '../../http/error-response.ts';
import { escapeUri } from '../../http/escape-uri.ts';
import type { Exchange } from '../../http/exchange.ts';
import { DONE, type PhaseHandler } from '../../http/location.ts';
import { internalRedirect } from '../../http/phases.ts';
import { locationValue } from '../../http/redirect.ts';
import type { Template } from '../../http/variable.ts';
import type { FileRoot } from '../http-core/file-root.ts';
import { directoryListingOf } from './directory-listing.ts';
import { type FileFailure, isFailure, openFile, statFile } from './open-file.ts';
import { answerPacked, packedFilesOf } from './packed-files.ts';
import { sendFile } from './send-file.ts';

export interface StaticSettings {
  readonly root: FileRoot;
  /** `index`. */
  readonly index: readonly Template[];
}

/** Content of a location in which nothing else answers: files, and for directories their index. */
export function staticContent(settings: StaticSettings): PhaseHandler {
  return (ex) => {
    serve(ex, settings);
    return DONE;
  };
}

function serve(ex: Exchange, settings: StaticSettings): void {
  const { method } = ex.request;
  const isDirectory = ex.uri.endsWith('/');
  if (method !== 'GET' && method !== 'HEAD' && method !== 'POST') {
    respondStatus(ex, 405);
    return;
  }
  if (isDirectory && answerIndex(ex, settings)) return;
  const path = settings.root.pathOf(ex);
  if (path === null) {
    respondStatus(ex, 500);
    return;
  }
  if (isDirectory) {
    const listing = method === 'POST' ? null : directoryListingOf(ex.location);
    if (listing !== null) {
      listing(ex, path);
      return;
    }
    ex.location.errorLog.write('error', ex, `directory index of "${path}" is forbidden`);
    respondStatus(ex, 403);
    return;
  }
  if (method !== 'POST') {
    for (const files of packedFilesOf(ex.location)) if (answerPacked(ex, settings.root, path, files)) return;
  }
  answerFile(ex, settings.root, path);
}

function answerFile(ex: Exchange, root: FileRoot, path: string): void {
  const { errorLog } = ex.location;
  const file = openFile(path, root.linksOf(ex, path));
  if (isFailure(file)) {
    fail(ex, file);
    return;
  }
  if (file.stats.isDirectory()) {
    closeSync(file.fd);
    const query = ex.args === '' ? '' : `?${ex.args}`;
    respondRedirect(ex, 301, locationValue(ex, `${escapeUri(ex.uri)}/${query}`));
    return;
  }
  if (!file.stats.isFile()) {
    closeSync(file.fd);
    errorLog.write('crit', ex, `"${path}" is not a regular file`);
    respondStatus(ex, 404);
    return;
  }
  if (ex.request.method === 'POST') {
    closeSync(file.fd);
    respondStatus(ex, 405);
    return;
  }
  sendFile(ex, file, path);
}

function fail(ex: Exchange, { code, text }: FileFailure): void {
  const status = statusOf(code);
  if (status !== 404 || ex.location.core.logNotFound) {
    ex.location.errorLog.write(status === 500 ? 'crit' : 'error', ex, text);
  }
  respondStatus(ex, status);
}

function statusOf(code: string): 403 | 404 | 500 {
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return 404;
  return code === 'EACCES' || code === 'EMLINK' || code === 'ELOOP' ? 403 : 500;
}

/** Goes on with the first index that is there. False: none is, or the directory isn't. True: taken over or answered. */
function answerIndex(ex: Exchange, { root, index }: StaticSettings): boolean {
  let isTested = false;
  for (const template of index) {
    const name = template.evaluate(ex);
    if (name.startsWith('/')) {
      internalRedirect(ex, name, ex.args);
      return true;
    }
    const directory = root.pathOf(ex);
    if (directory === null) {
      respondStatus(ex, 500);
      return true;
    }
    const path = directory + name;
    const found = statFile(path, root.linksOf(ex, path));
    if (!isFailure(found)) {
      internalRedirect(ex, ex.uri + name, ex.args);
      return true;
    }
    const { code } = found;
    if (code === 'ELOOP' || code === 'EMLINK') {
      respondStatus(ex, 403);
      return true;
    }
    if (code === 'ENOTDIR' || code === 'ENAMETOOLONG' || code === 'EACCES') {
      answerNoIndex(ex, path, found);
      return true;
    }
    if (!isTested && answerNoDirectory(ex, root, directory, path)) return true;
    isTested = true;
    if (code !== 'ENOENT') {
      ex.location.errorLog.write('crit', ex, found.text);
      respondStatus(ex, 500);
      return true;
    }
  }
  return false;
}

/** True: the directory itself isn't there, or isn't one, and that was the answer. */
function answerNoDirectory(ex: Exchange, root: FileRoot, directory: string, path: string): boolean {
  const plain = directory.endsWith('/') && directory.length > 1 ? directory.slice(0, -1) : directory;
  const found = statFile(plain, root.linksOf(ex, plain));
  if (!isFailure(found)) {
    if (found.isDirectory()) return false;
    ex.location.errorLog.write('alert', ex, `"${plain}" is not a directory`);
    respondStatus(ex, 500);
    return true;
  }
  const { code, text } = found;
  if (code === 'EACCES') return false;
  if (code === 'ENOENT') answerNoIndex(ex, path, found);
  else if (code === 'ELOOP' || code === 'EMLINK') respondStatus(ex, 403);
  else {
    ex.location.errorLog.write('crit', ex, text);
    respondStatus(ex, 500);
  }
  return true;
}

function answerNoIndex(ex: Exchange, path: string, { code, reason }: FileFailure): void {
  const { errorLog, core } = ex.location;
  if (code === 'EACCES') {
    errorLog.write('error', ex, `"${path}" is forbidden (${reason})`);
    respondStatus(ex, 403);
    return;
  }
  if (core.logNotFound) errorLog.write('error', ex, `"${path}" is not found (${reason})`);
  respondStatus(ex, 404);
}
