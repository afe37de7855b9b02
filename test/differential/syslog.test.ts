import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { get } from '../process/ask.ts';
import { freePort } from '../support/free-port.ts';
import { EVENKEEL, type Program } from '../support/program.ts';
import { startProxy } from '../support/start-proxy.ts';
import { type SyslogReceiver, udpReceiver, unixReceiver } from '../support/syslog-receiver.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { IS_ORACLE_ONLY, oracleOrSkip } from './compare.ts';

const folder = tempFolder('syslog');
chmodSync(folder, 0o755);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface SyslogCase {
  /** Before `http`. */
  readonly main?: string;
  /** In the server; `%%LOG%%` is the receiver. */
  readonly server: string;
  readonly path?: string;
}

/** Title -> what logs where. Compared: the datagrams of one request, bytes for bytes but for times, pids and the port. */
const CASES: Readonly<Record<string, SyslogCase>> = {
  'access_log, all by default': { server: 'access_log syslog:server=%%LOG%% short;' },
  'access_log, every parameter': {
    server: 'access_log syslog:facility=local3,tag=a_B9,severity=notice,server=%%LOG%% short;',
  },
  'access_log without a host name': { server: 'access_log syslog:server=%%LOG%%,nohostname,severity=debug short;' },
  'access_log with an empty tag': { server: 'access_log syslog:server=%%LOG%%,tag=,facility=kern short;' },
  'access_log if: yes': { server: 'access_log syslog:server=%%LOG%% short if=$arg_x;', path: '/?x=1' },
  'access_log of a long line': {
    server: 'access_log syslog:server=%%LOG%% long;',
    path: `/?x=${'x'.repeat(3000)}`,
  },
  'two logs on one server': {
    server:
      'access_log syslog:server=%%LOG%%,tag=one short; access_log syslog:server=%%LOG%%,tag=two,facility=user short;',
  },
  'error_log: severity by line': {
    server: 'access_log off; error_log syslog:server=%%LOG%%,severity=debug,facility=user,tag=errors; root /nowhere;',
    path: '/none',
  },
  'error_log: a long line is cut': {
    server: 'access_log off; error_log syslog:server=%%LOG%%,nohostname; root /nowhere;',
    path: `/${'x'.repeat(3000)}`,
  },
  'error_log: level': {
    server: 'access_log syslog:server=%%LOG%% short; error_log syslog:server=%%LOG%% crit; root /nowhere;',
    path: '/none',
  },
  'error_log of the main level': {
    main: 'error_log syslog:server=%%LOG%%,tag=main error;',
    server: 'access_log off; root /nowhere;',
    path: '/none',
  },
};

async function datagrams(program: Program, one: SyslogCase, receiver: SyslogReceiver): Promise<string[]> {
  const port = await freePort();
  const conf = `error_log error.log; ${one.main ?? ''}
    events {}
    http {
      log_format short '"$request" $status';
      log_format long '$args';
      client_body_temp_path t; proxy_temp_path p;
      server { listen 127.0.0.1:${port}; ${one.server} location = / { return 200 x; } location = /end { access_log syslog:server=%%LOG%%,tag=end; return 200; } }
    }`.replaceAll('%%LOG%%', receiver.address);
  const proxy = await startProxy({ program, conf });
  try {
    await get(port, one.path ?? '/');
    await get(port, '/end');
    if ((await receiver.until(/ end: /)) === undefined) throw new Error('nothing came');
  } finally {
    await proxy.stop();
  }
  const time = /^(<\d+>)[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d/;
  return receiver.messages
    .filter((message) => !message.includes(' end: '))
    .map((message) =>
      message
        .replace(time, '$1<time>')
        .replace(/\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d/, '<time>')
        .replace(/\] \d+#\d+: \*\d+/, '] <pid>: *N')
        // Pids and numbers are not of one length: where a line is cut depends on them.
        .replace(/x{1000,}.*$/s, 'xxx…'),
    );
}

describe.each(['udp', 'unix'] as const)('syslog over %s', (kind) => {
  const nginx = oracleOrSkip('syslog');
  const receive = async (): Promise<SyslogReceiver> =>
    kind === 'udp' ? udpReceiver() : unixReceiver(join(folder, `${await freePort()}.sock`));

  it.skipIf(nginx === undefined).each(Object.entries(CASES))('%s', async (_title, one) => {
    const seen: string[][] = [];
    for (const program of [nginx, IS_ORACLE_ONLY ? nginx : EVENKEEL]) {
      if (program === undefined) return;
      const receiver = await receive();
      try {
        seen.push(await datagrams(program, one, receiver));
      } finally {
        await receiver.stop();
      }
    }
    if (process.env['EVENKEEL_SHOW'] === '1') console.log(seen[0]);
    expect(seen[1]).toEqual(seen[0]);
  });
});
