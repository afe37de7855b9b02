import { ConfigError } from '../../config/diagnostic.ts';
import type { DirectiveUse } from '../../config/directive-spec.ts';
import { parseInteger, parseTimeMs, parseTimeSec } from '../../config/parse-value.ts';
import type { BalancerDef } from '../../policy/balancer.ts';
import { type PassTarget, parsePassTarget } from '../../upstream/pass-target.ts';
import { DEFAULT_PEER, type PeerConf } from '../../upstream/peer-conf.ts';
import type { ServerLine } from '../../upstream/upstream-conf.ts';

const DEFAULT_PORT = 80;

/** Parameters of `server` that newer nginx and nginx Plus know and evenkeel does not yet. */
const NOT_YET = /^(?:resolve$|service=|route=)/;

/** One `server ADDR [parameters]`. `method` is the load balancing method said so far. */
export function parseServerLine(use: DirectiveUse, method: BalancerDef): ServerLine {
  const [text = '', ...parameters] = use.args;
  // nginx reads the parameters first: of two mistakes it reports that one.
  const draft: { -readonly [K in keyof PeerConf]: PeerConf[K] } = { ...DEFAULT_PEER, name: text };
  for (const parameter of parameters) readParameter(draft, parameter, method, use);
  return { target: readTarget(text, use), conf: Object.freeze(draft) };
}

function readParameter(
  draft: { -readonly [K in keyof PeerConf]: PeerConf[K] },
  parameter: string,
  method: BalancerDef,
  use: DirectiveUse,
): void {
  const equals = parameter.indexOf('=');
  const name = equals < 0 ? parameter : parameter.slice(0, equals + 1);
  const value = equals < 0 ? '' : parameter.slice(equals + 1);
  const invalid = (): never => use.fail(`invalid parameter "${parameter}"`);
  switch (name) {
    case 'weight=':
      draft.weight = parseInteger(value) || invalid();
      return;
    case 'max_conns=':
      draft.maxConns = parseInteger(value) ?? invalid();
      return;
    case 'max_fails=':
      draft.maxFails = parseInteger(value) ?? invalid();
      return;
    case 'fail_timeout=':
      draft.failTimeoutMs = (parseTimeSec(value) ?? invalid()) * 1000;
      return;
    case 'slow_start=':
      if (!method.supports.slowStart) use.fail(`balancing method does not support parameter "${parameter}"`);
      draft.slowStartMs = parseTimeMs(value) ?? invalid();
      return;
    case 'backup':
      if (!method.supports.backup) use.fail(`balancing method does not support parameter "${parameter}"`);
      draft.isBackup = true;
      return;
    case 'drain':
      draft.isDraining = true;
      return;
    case 'down':
      draft.isDown = true;
      return;
    default:
      if (NOT_YET.test(parameter)) use.fail(`parameter "${parameter}" is not supported yet`);
      invalid();
  }
}

function readTarget(text: string, use: DirectiveUse): PassTarget {
  try {
    return parsePassTarget(text, DEFAULT_PORT);
  } catch (error) {
    if (error instanceof ConfigError) return use.fail(`${error.message} in upstream "${text}"`);
    throw error;
  }
}
