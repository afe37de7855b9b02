import { readFileSync } from 'node:fs';
import { configureArguments, DEFAULT_CONF, DEFAULT_ERROR_LOG, DEFAULT_PREFIX, FOLLOWED_VERSION } from './build-info.ts';

/** Our own version, from package.json. */
export function ownVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    readonly version: string;
  };
  return manifest.version;
}

/** `-v`. */
export function versionText(): string {
  return `nginx version: nginx/${FOLLOWED_VERSION}\n`;
}

/** What `-V` adds. */
export function configureText(): string {
  return [
    `built by evenkeel ${ownVersion()} on Node.js ${process.versions.node}`,
    `built with OpenSSL ${process.versions.openssl}`,
    'TLS SNI support enabled',
    `configure arguments: ${configureArguments()}`,
    '',
  ].join('\n');
}

/** `-h`, behind the version. */
export function helpText(): string {
  return `Usage: nginx [-?hvVtTq] [-s signal] [-p prefix]
             [-e filename] [-c filename] [-g directives]

Options:
  -?,-h         : this help
  -v            : show version and exit
  -V            : show version and configure options then exit
  -t            : test configuration and exit
  -T            : test configuration, dump it and exit
  -q            : suppress non-error messages during configuration testing
  -s signal     : send signal to a master process: stop, quit, reopen, reload
  -p prefix     : set prefix path (default: ${DEFAULT_PREFIX})
  -e filename   : set error log file (default: ${DEFAULT_ERROR_LOG})
  -c filename   : set configuration file (default: ${DEFAULT_CONF})
  -g directives : set global directives out of configuration file

`;
}
