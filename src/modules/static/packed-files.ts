import { closeSync } from 'node:fs';
import { respondStatus } from '../../http/error-response.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { Location } from '../../http/location.ts';
import type { FileRoot } from '../http-core/file-root.ts';
import { isFailure, openFile } from './open-file.ts';
import { sendFile } from './send-file.ts';

/** `gzip_static` and kin: a file may lie beside another one, compressed. */
export const PACKED_RULES = ['off', 'on', 'always'] as const;
export type PackedRule = (typeof PACKED_RULES)[number];

/** One kind of such files. */
export interface PackedFiles {
  /** `.gz`. */
  readonly extension: string;
  /** As Content-Encoding says it. */
  readonly coding: string;
  /** Whether the client takes it; `always` asks nobody. */
  readonly isAccepted: (ex: Exchange) => boolean;
  readonly isAlways: boolean;
  /** `gzip_vary`. */
  readonly varies: boolean;
}

/** Key of a location's packed files in `Location.compiled`. */
const KEY = { name: 'packed files' };

/** The location looks for these files too, behind those added before. */
export function addPackedFiles(location: Location, files: PackedFiles): void {
  location.compiled.set(KEY, [...packedFilesOf(location), files]);
}

const NONE: readonly PackedFiles[] = [];

export function packedFilesOf(location: Location): readonly PackedFiles[] {
  return (location.compiled.get(KEY) as readonly PackedFiles[] | undefined) ?? NONE;
}

/** Answers with the packed file that lies beside `path`. False: there is none, or the client does not take it. */
export function answerPacked(ex: Exchange, root: FileRoot, path: string, files: PackedFiles): boolean {
  const isAccepted = files.isAlways || files.isAccepted(ex);
  if (!isAccepted && !files.varies) return false;
  const { errorLog } = ex.location;
  const packedPath = path + files.extension;
  const file = openFile(packedPath, root.linksOf(ex, packedPath));
  if (isFailure(file)) {
    const { code, text } = file;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return false;
    const isForbidden = code === 'EACCES' || code === 'EMLINK' || code === 'ELOOP';
    errorLog.write(isForbidden ? 'error' : 'crit', ex, text);
    return false;
  }
  if (!files.isAlways && files.varies) ex.response.variesByEncoding = true;
  if (!isAccepted || file.stats.isDirectory()) {
    closeSync(file.fd);
    return false;
  }
  if (!file.stats.isFile()) {
    closeSync(file.fd);
    errorLog.write('crit', ex, `"${packedPath}" is not a regular file`);
    respondStatus(ex, 404);
    return true;
  }
  ex.response.setCoding(files.coding);
  sendFile(ex, file, packedPath);
  return true;
}
