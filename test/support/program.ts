import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Something that takes nginx's command line. */
export interface Program {
  readonly name: 'nginx' | 'evenkeel';
  /** Executable and the arguments that come before nginx's own. */
  readonly command: readonly [string, ...string[]];
}

const ROOT = join(import.meta.dirname, '../..');
const NGINX_PATHS = ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/local/nginx/sbin/nginx', '/usr/bin/nginx'];

/** The Node that the project pins as a development dependency; the one that runs the tests where that is missing. */
export const NODE = [join(ROOT, 'node_modules/node/bin/node')].find((path) => existsSync(path)) ?? process.execPath;

/**
 * Programs started from their sources strip types and compile anew each time, four times the work of a start. Node keeps the results here,
 * checked against each file's content; children inherit it.
 */
process.env['NODE_COMPILE_CACHE'] ??= join(ROOT, 'node_modules/.cache/node-compile');

/** evenkeel from its sources, or whatever `EVENKEEL_PROGRAM` names (`node dist/cli/main.js`, split at blanks). */
export const EVENKEEL: Program = { name: 'evenkeel', command: evenkeelCommand(process.env['EVENKEEL_PROGRAM']) };

/** The installed nginx, or the one that `EVENKEEL_NGINX` names; `undefined` when there is none. */
export const NGINX: Program | undefined = findNginx();

function evenkeelCommand(override: string | undefined): [string, ...string[]] {
  const [executable, ...args] = (override ?? '').split(' ').filter((word) => word !== '');
  return executable === undefined ? [NODE, join(ROOT, 'src/cli/main.ts')] : [executable, ...args];
}

function findNginx(): Program | undefined {
  const named = process.env['EVENKEEL_NGINX'];
  const path = (named === undefined ? NGINX_PATHS : [named]).find((candidate) => existsSync(candidate));
  return path === undefined ? undefined : { name: 'nginx', command: [path] };
}
