import { chownSync, mkdirSync } from 'node:fs';
import { HTTP } from '../config/contexts.ts';
import type { Diagnostic } from '../config/diagnostic.ts';
import { fullName } from '../config/full-name.ts';
import type { Scope } from '../config/scope.ts';
import { systemErrorText } from '../config/system-error.ts';
import { coreModule } from '../modules/core/core-module.ts';
import type { WorkerUser } from '../modules/core/worker-user.ts';
import { proxyModule } from '../modules/proxy/proxy.ts';

const OWNER_ONLY = 0o700;

/**
 * Makes the directories of `proxy_temp_path` and `client_body_temp_path` that somebody named, and hands them to the workers' user, as nginx does at
 * start. Those by default are made when they are needed, but where workers give up root's rights they could not be made then.
 */
export function makeTempDirectories(main: Scope, prefix: string): Diagnostic[] {
  const { user } = main.conf(coreModule);
  const findings: Diagnostic[] = [];
  for (const path of namedPaths(main)) {
    const failure = makeDirectory(fullName(prefix, path), user);
    if (failure !== null) findings.push({ severity: 'emerg', text: failure, pos: null });
  }
  if (user === null) return findings;
  for (const http of main.childrenOf(HTTP)) {
    const { tempPath, bodyTempPath } = http.conf(proxyModule);
    // What can't be made is told when it is needed, if ever.
    for (const { path } of [tempPath, bodyTempPath]) makeDirectory(fullName(prefix, path), user);
  }
  return findings;
}

function namedPaths(main: Scope): Set<string> {
  const paths = new Set<string>();
  const visit = (scope: Scope): void => {
    const own = scope.own(proxyModule);
    for (const named of [own.tempPath, own.bodyTempPath]) if (named !== undefined) paths.add(named.path);
    scope.children.forEach(visit);
  };
  main.childrenOf(HTTP).forEach(visit);
  return paths;
}

/** nginx's text of the failure; null: it is there. */
function makeDirectory(path: string, user: WorkerUser | null): string | null {
  const name = Buffer.from(path, 'latin1');
  try {
    mkdirSync(name, { mode: OWNER_ONLY });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return null;
    return `mkdir() "${path}" failed (${systemErrorText(error)})`;
  }
  if (user !== null) chownSync(name, user.uid, -1);
  return null;
}
