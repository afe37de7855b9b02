import { constants } from 'node:os';
import type { LogLevel } from '../observe/log-level.ts';
import { FATAL_EXIT_CODE } from './worker.ts';
import type { WorkerExit } from './worker-link.ts';

export interface ExitLine {
  readonly level: LogLevel;
  readonly text: string;
}

/** nginx's line for a worker that ended. A death by TERM is what somebody asked for, however early it came: no alert. */
export function exitLine(pid: number, exit: WorkerExit): ExitLine {
  if (exit.signal !== null) {
    const number = constants.signals[exit.signal];
    const level = exit.signal === 'SIGTERM' || exit.signal === 'SIGINT' ? 'notice' : 'alert';
    return { level, text: `worker process ${pid} exited on signal ${number}` };
  }
  if (exit.code === FATAL_EXIT_CODE) {
    return {
      level: 'alert',
      text: `worker process ${pid} exited with fatal code ${FATAL_EXIT_CODE} and cannot be respawned`,
    };
  }
  return { level: 'notice', text: `worker process ${pid} exited with code ${exit.code ?? 0}` };
}
