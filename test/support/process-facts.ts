import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** What `/proc` says of a process's open files: link targets without their numbers (`socket`, `pipe`, `/path/of/a/file`). */
export function openFiles(pid: number): string[] {
  const kinds: string[] = [];
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      kinds.push(readlinkSync(`/proc/${pid}/fd/${fd}`).replace(/:\[.*$/, ''));
    } catch {
      // closed meanwhile
    }
  }
  return kinds;
}

/** How many sockets it holds. */
export function socketCount(pid: number): number {
  return openFiles(pid).filter((kind) => kind === 'socket').length;
}

/** Its resident memory now. */
export function residentBytes(pid: number): number {
  return 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0);
}
