import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVENKEEL, NGINX, type Program } from '../support/program.ts';
import { type BackendOptions, type Script, ScriptedBackend } from '../support/scripted-backend.ts';
import { makePrefix, startProxy } from '../support/start-proxy.ts';
import type { Connection } from './client-script.ts';
import type { DeliberateDifference } from './deliberate-differences.ts';
import { lineDiff } from './line-diff.ts';
import { normalize, type Replacement, wholeNumber } from './normalize.ts';
import { drawPorts, fill, type Values } from './placeholders.ts';
import { Stage } from './stage.ts';
import { type Observation, PARTS, type Part, render } from './transcript.ts';

/** `EVENKEEL_ORACLE_ONLY=1`: nginx against nginx, which proves the harness and the cases themselves. */
export const IS_ORACLE_ONLY = process.env['EVENKEEL_ORACLE_ONLY'] === '1';
/** What newest nginx does by default and the oracle, an older one, has to be told. */
const NEWEST_PROXY_DEFAULTS = 'proxy_http_version 1.1; proxy_set_header Connection "";';
const SKIP_REASON = 'skipped: nginx not installed';

/** What the client does: connections one after the other, or a function that plays on the stage. */
export type Act = Connection | readonly Connection[] | ((stage: Stage) => Promise<void>);

export interface CaseOptions {
  readonly act: Act;
  /** One line per response and per backend request, for sequences. */
  readonly isBrief?: boolean;
  /** Compare over which of its connections a backend got each request. */
  readonly showsConnections?: boolean;
  /** Wait before looking at logs and backends, where something comes late. */
  readonly settleMs?: number;
  /** Parts that are not compared, each with its reason. */
  readonly without?: Partial<Record<Part, string>>;
  /** More to be made equal, e.g. `{ from: /id=\w+/g, to: 'id=…' }`. */
  readonly normalize?: readonly Replacement[];
  /** A row of the README's table, and what evenkeel answers instead. */
  readonly differs?: Difference;
}

export interface Difference {
  readonly because: DeliberateDifference;
  /** What evenkeel's transcript must match instead of nginx's, per part; parts not named are still compared. */
  readonly evenkeel: Partial<Record<Part, RegExp>>;
}

export type Case = Act | CaseOptions;

export interface Group {
  /** Content of `http {}`. The rest is supplied: one worker, pid, `access.log`, temporary paths. */
  readonly http?: string;
  /** Or the whole configuration. */
  readonly conf?: string;
  /** More for the main level. */
  readonly main?: string;
  /** Level of the compared error log. Default `info`. */
  readonly errorLevel?: 'info' | 'notice' | 'warn' | 'error';
  /** `%%NAME%%` is its address; `unix: true` puts it on a unix socket. */
  readonly backends?: Readonly<Record<string, Script | (Omit<BackendOptions, 'path'> & { readonly unix?: boolean })>>;
  /** More placeholders of addresses, known when the servers start. */
  readonly addresses?: () => Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  /** Both programs play a case at the same time, each with backends of its own: for cases that mostly wait. */
  readonly isTogether?: boolean;
  readonly cases: Readonly<Record<string, Case>>;
}

/** One configuration and its cases, each a test of its own: nginx first, then evenkeel, then their transcripts are compared. */
export function compare(title: string, group: Group): void {
  const oracle = oracleOrSkip(title);
  if (oracle === undefined) return;
  describe(title, () => {
    const backends = new Map<string, ScriptedBackend>();
    /** evenkeel's, where they are not the same. */
    const others = group.isTogether ? new Map<string, ScriptedBackend>() : backends;
    const folders: string[] = [];
    let nginx: Stage | undefined;
    let evenkeel: Stage | undefined;
    let evenkeelFailure: unknown;

    beforeAll(async () => {
      const own = await startBackends(group, backends);
      folders.push(own);
      nginx = await raise(oracle, group, backends, own);
      const theirs = others === backends ? own : await startBackends(group, others);
      folders.push(theirs);
      try {
        evenkeel = await raise(IS_ORACLE_ONLY ? oracle : EVENKEEL, group, others, theirs);
      } catch (error) {
        evenkeelFailure = error; // reported by every case, each of which counts
      }
    });

    afterAll(async () => {
      const stops = [nginx, evenkeel].map((stage) => stage?.proxy.stop());
      await Promise.allSettled(stops);
      for (const backend of new Set([...backends.values(), ...others.values()])) await backend.stop();
      for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    });

    for (const [name, given] of Object.entries(group.cases)) {
      const options = optionsOf(given);
      it(name, async () => {
        if (nginx === undefined) throw new Error('nginx did not start');
        const performed = perform(nginx, options);
        const besides = group.isTogether && evenkeel !== undefined ? perform(evenkeel, options, performed) : undefined;
        const [expected] = await Promise.all([performed, besides]);
        if (process.env['EVENKEEL_SHOW'] === '1')
          console.log(`${name}\n${joined(texts(nginx, options, expected), PARTS)}`);
        if (evenkeel === undefined) throw evenkeelFailure;
        const actual = await (besides ?? perform(evenkeel, options, performed));
        judge(options, texts(nginx, options, expected), texts(evenkeel, options, actual));
      });
    }
  });
}

/** The installed nginx; without one says so and gives `undefined`, or adds a failing test where `CI=true`. */
export function oracleOrSkip(title: string): Program | undefined {
  if (NGINX === undefined) missingOracle(title);
  return NGINX;
}

function missingOracle(title: string): void {
  if (process.env['CI'] === 'true') {
    it(title, () => {
      throw new Error('nginx, the oracle of the differential suite, is not installed');
    });
    return;
  }
  console.log(`${title}: ${SKIP_REASON}`);
  describe.skip(`${title} (${SKIP_REASON})`, () => it.skip('all cases', () => undefined));
}

/** Fills the map; the folder of their unix sockets. */
async function startBackends(group: Group, backends: Map<string, ScriptedBackend>): Promise<string> {
  const own = makePrefix('differential');
  for (const [name, spec] of Object.entries(group.backends ?? {})) {
    backends.set(name, await startBackend(spec, name, own));
  }
  return own;
}

function startBackend(
  spec: NonNullable<Group['backends']>[string],
  name: string,
  own: string,
): Promise<ScriptedBackend> {
  const options = typeof spec === 'object' && 'script' in spec ? spec : { script: spec };
  const isUnix = 'unix' in options && options.unix;
  return ScriptedBackend.start({ ...options, ...(isUnix ? { path: join(own, `${name}.sock`) } : {}) });
}

async function raise(
  program: Program,
  group: Group,
  backends: ReadonlyMap<string, ScriptedBackend>,
  own: string,
): Promise<Stage> {
  const text = group.conf ?? frame(group);
  const values: Record<string, string> = await drawPorts(
    `${text} ${JSON.stringify(group.files ?? {})} %%PORT_MARKER%%`,
  );
  values['MARKER'] = group.conf?.includes('%%MARKER%%') === false ? '0' : (values['PORT_MARKER'] ?? '0');
  Object.assign(values, group.addresses?.());
  for (const [name, backend] of backends) {
    const path = join(own, `${name}.sock`);
    values[name] = backend.isUnix ? `unix:${path}` : `127.0.0.1:${backend.port}`;
  }
  const proxy = await startProxy({
    program,
    conf: (prefix) => {
      values['DIR'] = prefix;
      return fill(text, values);
    },
    ...(group.files && {
      files: Object.fromEntries(Object.entries(group.files).map(([path, content]) => [path, fill(content, values)])),
    }),
  });
  return new Stage(proxy, values, backends);
}

/** The parts of a configuration that every group has. */
function frame(group: Group): string {
  return `
    ${group.main?.includes('worker_processes') ? '' : 'worker_processes 1;'}
    pid nginx.pid;
    error_log error.log ${group.errorLevel ?? 'info'};
    ${group.main ?? ''}
    events { worker_connections 512; }
    http {
      client_body_temp_path client_body_temp;
      proxy_temp_path proxy_temp;
      log_format seen '$remote_addr "$request" $status $upstream_addr $upstream_status';
      ${group.http?.includes('access_log') ? '' : 'access_log access.log seen;'}
      ${NEWEST_PROXY_DEFAULTS}
      server { listen 127.0.0.1:%%PORT_MARKER%%; access_log off; return 204; }
      ${group.http ?? ''}
    }`;
}

function optionsOf(given: Case): CaseOptions {
  return typeof given === 'object' && 'act' in given ? given : { act: given };
}

async function perform(stage: Stage, options: CaseOptions, like?: Promise<Observation>): Promise<Observation> {
  stage.begin();
  const { act } = options;
  if (typeof act === 'function') await act(stage);
  else for (const connection of 'steps' in act ? [act] : act) await stage.play(connection);
  return stage.end(options.settleMs ?? 0, await like);
}

function texts(stage: Stage, options: CaseOptions, seen: Observation): Record<Part, string> {
  const style = { isBrief: options.isBrief ?? false, showsConnections: options.showsConnections ?? false };
  const parts = render(seen, style);
  const own = [...(options.normalize ?? []), ...ownNames(stage.values)];
  for (const part of PARTS) parts[part] = normalize(parts[part], own);
  return parts;
}

/** This side's ports and directory, turned back into their placeholders. */
function ownNames(values: Values): Replacement[] {
  const entries = Object.entries(values).filter(([, value]) => value !== '0');
  const directory = entries
    .filter(([name]) => name === 'DIR')
    .map(([name, value]) => ({ from: value, to: `%%${name}%%` }));
  const ports = entries.filter(([name]) => /^(PORT|DEAD)/.test(name));
  const addresses = entries.filter(([name]) => !/^(PORT|DEAD|DIR|MARKER)/.test(name));
  return [
    ...directory,
    ...addresses.map(([name, value]) => ({ from: value, to: `%%${name}%%` })),
    ...ports.map(([name, value]) => wholeNumber(Number(value), `%%${name}%%`)),
  ];
}

function judge(options: CaseOptions, nginx: Record<Part, string>, evenkeel: Record<Part, string>): void {
  const { differs, without } = options;
  const compared = PARTS.filter((part) => without?.[part] === undefined);
  if (differs === undefined || IS_ORACLE_ONLY) {
    expectSame(joined(nginx, compared), joined(evenkeel, compared));
    return;
  }
  const excused = compared.filter((part) => differs.evenkeel[part] !== undefined);
  const others = compared.filter((part) => !excused.includes(part));
  for (const part of excused) {
    expect(evenkeel[part], `${part}, as "${differs.because}" says`).toMatch(differs.evenkeel[part] ?? /^/);
  }
  expect(joined(evenkeel, excused), `no longer differs: "${differs.because}"`).not.toBe(joined(nginx, excused));
  expectSame(joined(nginx, others), joined(evenkeel, others));
}

/** Fails with a line-by-line difference. */
export function expectSame(nginx: string, evenkeel: string): void {
  if (nginx !== evenkeel) expect.fail(`evenkeel differs from nginx\n${lineDiff(nginx, evenkeel)}\n`);
}

function joined(parts: Record<Part, string>, which: readonly Part[]): string {
  return which.map((part) => `=== ${part}\n${parts[part]}`).join('\n');
}
