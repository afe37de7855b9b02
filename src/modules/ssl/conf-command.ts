import { constants } from 'node:crypto';
import type { DirectiveUse } from '../../config/directive-spec.ts';
import { TLS_PROTOCOLS, type TlsProtocol } from '../../net/tls-context.ts';

/** Of SSL_CONF_cmd(3)'s commands those that Node lets through. */
const COMMANDS = [
  'ciphersuites',
  'cipherstring',
  'minprotocol',
  'maxprotocol',
  'curves',
  'groups',
  'signaturealgorithms',
  'options',
];

/** Words of `Options`: the flag, and whether the word sets or clears it. */
const OPTIONS: Readonly<Record<string, readonly [flag: number, isSet: boolean]>> = {
  ServerPreference: [constants.SSL_OP_CIPHER_SERVER_PREFERENCE, true],
  PrioritizeChaCha: [constants.SSL_OP_PRIORITIZE_CHACHA, true],
  SessionTicket: [constants.SSL_OP_NO_TICKET, false],
  EncryptThenMac: [constants.SSL_OP_NO_ENCRYPT_THEN_MAC, false],
  NoResumptionOnRenegotiation: [constants.SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION, true],
  AllowNoDHEKEX: [constants.SSL_OP_ALLOW_NO_DHE_KEX, true],
};

/** `ssl_conf_command NAME VALUE`, `proxy_ssl_conf_command NAME VALUE`. */
export function readConfCommand(use: DirectiveUse): readonly [string, string] {
  const [name = '', value = ''] = use.args;
  if (!COMMANDS.includes(name.toLowerCase())) {
    use.fail(
      `SSL_CONF_cmd("${name}", "${value}") failed (SSL: error:0A000182:SSL routines::unknown cmd name:cmd=${name})`,
    );
  }
  const command = [name.toLowerCase(), value] as const;
  if (applyCommands([command], BLANK) === null) {
    use.fail(
      `SSL_CONF_cmd("${name}", "${value}") failed (SSL: error:0A000180:SSL routines::bad value:cmd=${name}, value=${value})`,
    );
  }
  return command;
}

/** What the commands change. */
export interface Commandable {
  readonly protocols: readonly TlsProtocol[];
  readonly ciphers: string;
  readonly suites: string;
  readonly curves: string;
  readonly sigalgs: string;
  readonly options: number;
}

const BLANK: Commandable = { protocols: TLS_PROTOCOLS, ciphers: '', suites: '', curves: '', sigalgs: '', options: 0 };

/** Settings with the commands in force; null: one has a value that is none. */
export function applyCommands(
  commands: readonly (readonly [name: string, value: string])[],
  before: Commandable,
): Commandable | null {
  let settings: Commandable | null = before;
  for (const command of commands) if (settings !== null) settings = applyCommand(command, settings);
  return settings;
}

function applyCommand([name, value]: readonly [string, string], settings: Commandable): Commandable | null {
  switch (name) {
    case 'ciphersuites':
      return { ...settings, suites: value };
    case 'cipherstring':
      return { ...settings, ciphers: value };
    case 'curves':
    case 'groups':
      return { ...settings, curves: value };
    case 'signaturealgorithms':
      return { ...settings, sigalgs: value };
    case 'minprotocol':
    case 'maxprotocol': {
      const at = TLS_PROTOCOLS.indexOf(value as TlsProtocol);
      if (at < 0) return null;
      const isInside = (i: number): boolean => (name === 'minprotocol' ? i >= at : i <= at);
      return { ...settings, protocols: settings.protocols.filter((one) => isInside(TLS_PROTOCOLS.indexOf(one))) };
    }
    default:
      return applyOptions(value, settings);
  }
}

function applyOptions(value: string, settings: Commandable): Commandable | null {
  let { options } = settings;
  for (const word of value.split(',')) {
    const known = OPTIONS[word.replace(/^[+-]/, '').trim()];
    if (known === undefined) return null;
    const [flag, isSet] = known;
    if (isSet === word.startsWith('-')) options &= ~flag;
    else options |= flag;
  }
  return { ...settings, options };
}
