/** What stands in a listing. */
export interface DirectoryEntry {
  /** A byte string. */
  readonly name: string;
  /** Of what a link leads to; `other`: a pipe, a socket, a device, a link that leads nowhere. */
  readonly type: 'directory' | 'file' | 'other';
  readonly modifiedSec: number;
  readonly sizeBytes: number;
}

/** Directories first, then by bytes. */
export function isBefore(a: DirectoryEntry, b: DirectoryEntry): boolean {
  const isDirectory = a.type === 'directory';
  if (isDirectory !== (b.type === 'directory')) return isDirectory;
  return a.name < b.name;
}
