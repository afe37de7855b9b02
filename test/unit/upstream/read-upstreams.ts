import { HTTP, MAIN, UPSTREAM } from '../../../src/config/contexts.ts';
import { formatDiagnostic } from '../../../src/config/diagnostic.ts';
import { type ConfModule, directive } from '../../../src/config/directive-spec.ts';
import { parseText } from '../../../src/config/parser.ts';
import type { Scope } from '../../../src/config/scope.ts';
import { readScopes } from '../../../src/config/walk.ts';
import { upstreamConf, upstreamModule } from '../../../src/modules/upstream/upstream-module.ts';
import type { UpstreamConf } from '../../../src/upstream/upstream-conf.ts';
import type { UpstreamGroup } from '../../../src/upstream/upstream-group.ts';
import { UpstreamRegistry } from '../../../src/upstream/upstream-registry.ts';
import { keyTemplate } from './fake-exchange.ts';

const httpBlock: ConfModule<object> = {
  name: 'http',
  defaults: () => ({}),
  rows: [directive({ name: 'http', contexts: MAIN, args: 0, block: HTTP, doc: '' })],
};

export interface ReadUpstreams {
  readonly findings: readonly string[];
  readonly http: Scope;
  readonly upstreams: readonly UpstreamConf[];
}

/** Reads the content of an `http` block; line 1 is the `http {` line. */
export function readUpstreams(text: string): ReadUpstreams {
  const parsed = parseText({
    text: `http {\n${text}\n}\n`,
    file: 'n.conf',
    include: () => ({ directives: [], finding: null }),
  });
  if (parsed.finding !== null) throw new Error(formatDiagnostic(parsed.finding));
  const { main, diagnostics } = readScopes(parsed.directives, [httpBlock, upstreamModule]);
  const [http] = main.childrenOf(HTTP);
  if (http === undefined) throw new Error('no http block');
  const hasErrors = diagnostics.some((finding) => finding.severity === 'emerg');
  return {
    findings: diagnostics.map((finding) => `[${finding.severity}] ${formatDiagnostic(finding)}`),
    http,
    upstreams: hasErrors ? [] : http.childrenOf(UPSTREAM).map(upstreamConf),
  };
}

/** The group of `upstream u { TEXT }`, in force. */
export function groupOf(text: string): UpstreamGroup {
  const { upstreams, findings } = readUpstreams(`upstream u { ${text} }`);
  if (findings.length > 0) throw new Error(findings.join('\n'));
  const registry = new UpstreamRegistry({ previous: null, names: {} });
  for (const conf of upstreams) registry.define(conf, () => keyTemplate);
  registry.compileKeys();
  registry.activate();
  const group = registry.byName('u');
  if (group === null) throw new Error('no group');
  return group;
}
