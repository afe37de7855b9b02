// What `npm start`, `npm test` and `npm run bench` do first: install what is missing, so that a fresh clone needs no other command.
// Runs on whatever Node the machine has (20 or newer), before any package is there: no dependencies, no TypeScript.
//   --oracle   also what the tests ask and compare with: nginx, openssl, curl, sslscan, h2load, and the PostgreSQL and Redis that the probes
//              look at (as root on Debian; elsewhere those tests say that they are skipped)
//   --bench    also haproxy, wrk and h2load, likewise
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The machine's own PATH: npm puts node_modules/.bin first, which an install is about to replace. */
const path = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((folder) => !folder.includes('node_modules'))
  .join(delimiter);

function run(command, args, env = {}) {
  const { status } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 2, 2],
    env: { ...process.env, PATH: path, ...env },
  });
  return status === 0;
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8'));
  } catch {
    return null; // not installed yet
  }
}

/** Is every package of the lock file installed in its version? Optional ones belong to other platforms and may be absent. */
function packagesAreInstalled() {
  const wanted = readJson('package-lock.json')?.packages ?? {};
  const present = readJson('node_modules/.package-lock.json')?.packages;
  if (present === undefined) return false;
  return Object.entries(wanted).every(
    ([name, { version, optional }]) => name === '' || optional || present[name]?.version === version,
  );
}

/** The Node that the npm scripts will run: the pinned one from node_modules, else the machine's. */
function scriptNodeVersion() {
  for (const node of [join(root, 'node_modules/.bin/node'), process.execPath]) {
    const { status, stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' });
    if (status === 0) return stdout.trim();
  }
  return process.version;
}

function isOnPath(program) {
  return [...path.split(delimiter), '/usr/sbin'].some((folder) => existsSync(join(folder, program)));
}

/** Programs whose package has another name. */
const PACKAGE_OF = { h2load: 'nghttp2-client' };

/** PostgreSQL's programs are in no folder of the PATH, but in one for each version. */
function hasPostgres() {
  const versions = '/usr/lib/postgresql';
  return existsSync(versions) && readdirSync(versions).some((name) => existsSync(join(versions, name, 'bin/initdb')));
}

function isInstalled(name) {
  return name === 'postgresql' ? hasPostgres() : isOnPath(name);
}

/** Installs Debian packages without starting their services: a test's oracle must not sit on port 80. */
function installFromDebian(names) {
  const missing = names.filter((name) => !isInstalled(name)).map((name) => PACKAGE_OF[name] ?? name);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || !isOnPath('apt-get')) {
    console.error(`setup: not installed here: ${missing.join(', ')} (as root on Debian they would be now)`);
    return;
  }
  console.error(`setup: apt-get install ${missing.join(' ')}`);
  const noServices = '/usr/sbin/policy-rc.d';
  const isOurs = !existsSync(noServices);
  if (isOurs) writeFileSync(noServices, '#!/bin/sh\nexit 101\n');
  if (isOurs) chmodSync(noServices, 0o755);
  const quiet = { DEBIAN_FRONTEND: 'noninteractive' };
  const isDone =
    run('apt-get', ['-qq', 'update'], quiet) &&
    run('apt-get', ['-qq', '-y', '--no-install-recommends', 'install', ...missing], quiet);
  if (isOurs) rmSync(noServices);
  if (!isDone) console.error(`setup: could not install ${missing.join(', ')}; what needs them says so`);
}

if (!packagesAreInstalled()) {
  console.error('setup: installing packages (npm install) ...');
  // Not `npm ci`: it refuses a lock file that lacks some other platform's optional package. `--no-save` leaves the lock file alone.
  if (!run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'])) {
    console.error('setup: npm install failed; its words are above');
    process.exit(1);
  }
}
const oldest = Number.parseInt(readJson('package.json').engines.node.slice('>='.length), 10);
if (Number.parseInt(scriptNodeVersion().slice(1), 10) < oldest) {
  console.error(`setup: Node ${oldest} or newer is needed, and the pinned one did not install: try npm rebuild node`);
  process.exit(1);
}
if (process.argv.includes('--oracle'))
  installFromDebian(['nginx', 'openssl', 'curl', 'sslscan', 'h2load', 'postgresql', 'redis-server']);
if (process.argv.includes('--bench')) installFromDebian(['nginx', 'haproxy', 'wrk', 'h2load', 'openssl']);
