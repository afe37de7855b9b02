import { readdirSync, readFileSync } from 'node:fs';

/** CPU time that a process and all its descendants have used so far. */
export interface CpuTime {
  readonly userMicros: number;
  readonly systemMicros: number;
}

/** /proc counts in clock ticks; on every Linux that Node runs on there are 100 a second. */
const MICROS_PER_TICK = 10_000;

interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  readonly userTicks: number;
  readonly systemTicks: number;
}

function readStat(pid: string): ProcessStat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name, in parentheses, may hold spaces: count fields from behind it (proc(5): state is 3, ppid 4, utime 14, stime 15).
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return {
      pid: Number(pid),
      parent: Number(fields[1]),
      userTicks: Number(fields[11]),
      systemTicks: Number(fields[12]),
    };
  } catch {
    return null; // it ended while we were looking
  }
}

/** `root` and everything below it, as the process table stands now. */
export function processTree(root: number): ProcessStat[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(readStat)
    .filter((stat) => stat !== null);
  const members = new Set([root]);
  // A child's number is usually, not always, higher than its parent's: go round until nothing joins.
  for (let before = 0; before !== members.size; ) {
    before = members.size;
    for (const stat of all) if (members.has(stat.parent)) members.add(stat.pid);
  }
  return all.filter((stat) => members.has(stat.pid));
}

/** Sum over the tree under `root`: primary and workers alike. */
export function cpuTimeOf(root: number): CpuTime {
  let userTicks = 0;
  let systemTicks = 0;
  for (const stat of processTree(root)) {
    userTicks += stat.userTicks;
    systemTicks += stat.systemTicks;
  }
  return { userMicros: userTicks * MICROS_PER_TICK, systemMicros: systemTicks * MICROS_PER_TICK };
}
