import { availableParallelism } from 'node:os';
import { EVENTS, HTTP_SCOPES, MAIN } from '../../config/contexts.ts';
import { type ConfModule, type DirectiveUse, directive } from '../../config/directive-spec.ts';
import { parseInteger } from '../../config/parse-value.ts';
import { filePath, integer, invalidValue, text, timeMs } from '../../config/values.ts';
import { type ErrorLogConf, parseErrorLog } from './error-log-conf.ts';
import { findGroup, findUser, type WorkerUser } from './worker-user.ts';

/** What the main context says. */
export interface CoreConf {
  isDaemon: boolean;
  /** False (`master_process off`): one process does everything. */
  hasMaster: boolean;
  /** As written; relative to the prefix. */
  pidFile: string;
  /** Null: nobody was named, or we are not root and the name was ignored. */
  user: WorkerUser | null;
  workerProcesses: number;
  /** Said in the events block: most connections of clients in one worker. */
  workerConnections: number;
  /** 0: as inherited. */
  openFilesLimit: number;
  /** 0: no limit. */
  shutdownTimeoutMs: number;
  /** Of this scope; empty: the default error log. */
  errorLogs: readonly ErrorLogConf[];
  /** `NAME=VALUE` pairs that workers get, `NAME` alone keeps what was inherited. */
  env: readonly string[];
}

const PID_FILE = '/run/nginx.pid';
/** No worker count of a real machine comes near; a slip of the finger does. */
const MAX_WORKERS = 1024;

const row = directive<CoreConf>;

export const coreModule: ConfModule<CoreConf> = {
  name: 'core',
  defaults: () => ({
    isDaemon: true,
    hasMaster: true,
    pidFile: PID_FILE,
    user: null,
    workerProcesses: 1,
    workerConnections: 512,
    openFilesLimit: 0,
    shutdownTimeoutMs: 0,
    errorLogs: [],
    env: [],
  }),
  rows: [
    row({
      name: 'daemon',
      contexts: MAIN,
      args: 'flag',
      field: 'isDaemon',
      syntax: 'on | off',
      defaultText: 'on',
      doc: 'Whether the program goes to the background when it has started.',
    }),
    row({
      name: 'master_process',
      contexts: MAIN,
      args: 'flag',
      field: 'hasMaster',
      syntax: 'on | off',
      defaultText: 'on',
      doc: 'With `off` one process does everything, without workers.',
    }),
    row({
      name: 'pid',
      contexts: MAIN,
      args: 1,
      field: 'pidFile',
      parse: filePath,
      syntax: 'file',
      defaultText: PID_FILE,
      doc: 'File that holds the process id of the primary for as long as it listens.',
    }),
    row({
      name: 'user',
      contexts: MAIN,
      args: [1, 2],
      field: 'user',
      parse: parseUser,
      syntax: 'user [group]',
      doc: 'User and group of the workers, when the program is started by root; ignored with a warning otherwise.',
    }),
    row({
      name: 'worker_processes',
      contexts: MAIN,
      args: 1,
      field: 'workerProcesses',
      parse: parseWorkerProcesses,
      syntax: 'number | auto',
      defaultText: '1',
      doc: 'Number of workers; `auto`: as many as there are cores.',
    }),
    row({
      name: 'worker_rlimit_nofile',
      contexts: MAIN,
      args: 1,
      field: 'openFilesLimit',
      parse: integer(),
      syntax: 'number',
      doc: 'Limit of open files of a worker. Node raises it to the hard limit by itself; a higher hard limit needs root and prlimit(1).',
    }),
    row({
      name: 'worker_shutdown_timeout',
      contexts: MAIN,
      args: 1,
      field: 'shutdownTimeoutMs',
      parse: timeMs(),
      syntax: 'time',
      doc: 'Longest time that a worker waits for its connections to end when it was told to quit; without, as long as they take.',
    }),
    row({
      name: 'error_log',
      contexts: MAIN | HTTP_SCOPES,
      args: [1, 3],
      field: 'errorLogs',
      parse: parseErrorLog,
      repeat: 'append',
      syntax: 'file | stderr | syslog:parameters [level] [json]',
      defaultText: '/var/log/nginx/error.log error',
      doc: 'File, `stderr`, or a syslog server as in `access_log`, for messages of this level and more serious ones: debug, info, notice, warn, error, crit, alert, emerg. `json`: one JSON object a line.',
    }),
    row({
      name: 'env',
      contexts: MAIN,
      args: 1,
      field: 'env',
      parse: (use) => use.args[0],
      repeat: 'append',
      syntax: 'variable[=value]',
      doc: "Sets an environment variable of the workers. What was inherited is kept in any case: Node's own settings come that way.",
    }),
    row({
      name: 'events',
      contexts: MAIN,
      args: 0,
      block: EVENTS,
      repeat: 'error',
      doc: 'The block for settings of connections; it must be there, and may be empty.',
    }),
    row({
      name: 'worker_connections',
      contexts: EVENTS,
      args: 1,
      field: 'workerConnections',
      parse: (use) => parseInteger(text(use)) ?? use.fail(`invalid number "${use.args[0]}"`),
      syntax: 'number',
      defaultText: '512',
      doc: 'Most connections of clients in one worker. Near it the longest idle are closed, at it new ones wait until there is room. Those to peers do not count.',
    }),
  ],
};

function parseWorkerProcesses(use: DirectiveUse): number {
  const [word = ''] = use.args;
  if (word === 'auto') return availableParallelism();
  const count = parseInteger(word);
  if (count === null) return invalidValue(use);
  if (count > MAX_WORKERS) use.fail(`value must be between 1 and ${MAX_WORKERS}`);
  // nginx takes 0 and then serves nobody.
  return Math.max(count, 1);
}

function parseUser(use: DirectiveUse): WorkerUser | null {
  if (process.geteuid?.() !== 0) {
    use.warn('the "user" directive makes sense only if the master process runs with super-user privileges, ignored');
    return null;
  }
  const [name = '', groupName = name] = use.args;
  const user = findUser(name);
  if (user === null) use.fail(`getpwnam("${name}") failed`);
  const group = findGroup(groupName);
  if (group === null) use.fail(`getgrnam("${groupName}") failed`);
  return { name, uid: user.id, gid: group.id };
}
