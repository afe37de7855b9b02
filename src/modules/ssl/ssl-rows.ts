import { HTTP, SERVER } from '../../config/contexts.ts';
import type { DirectiveSpec, DirectiveUse } from '../../config/directive-spec.ts';
import { flag, integer, oneOf, sizeBytes, texts, timeSec, wordList } from '../../config/values.ts';
import { VERIFY_MODES } from '../../http/tls.ts';
import { TLS_PROTOCOLS } from '../../net/tls-context.ts';
import { readConfCommand } from './conf-command.ts';
import { readSessionCache } from './session-cache.ts';
import type { SslConf } from './ssl-conf.ts';

type Row = DirectiveSpec<SslConf>;

const CONTEXTS = HTTP | SERVER;
const tlsProtocols = wordList(TLS_PROTOCOLS);

/** A file's name. Names with variables, and keys that are in an engine, are refused by name. */
function fileName(use: DirectiveUse): string {
  const [name = ''] = use.args;
  if (name.includes('$')) use.fail(`variables in "${use.name}" are not supported`);
  if (/^(data|engine|store):/.test(name)) use.fail(`"${name}" in "${use.name}" is not supported: a file's name is`);
  return name;
}

const file = (name: string, field: keyof SslConf, doc: string): Row => ({
  name,
  contexts: CONTEXTS,
  args: 1,
  field,
  parse: fileName,
  syntax: 'file',
  doc,
});

const files = (name: string, field: keyof SslConf, doc: string): Row => ({
  ...file(name, field, doc),
  repeat: 'append',
});

const onOff = (name: string, field: keyof SslConf, isOn: boolean, doc: string): Row => ({
  name,
  contexts: CONTEXTS,
  args: 'flag',
  field,
  syntax: 'on | off',
  defaultText: isOn ? 'on' : 'off',
  doc,
});

/** Checked and without effect. `warning`: said when it is switched on. */
function idle(name: string, syntax: string, check: (use: DirectiveUse) => unknown, reason: string, warning = ''): Row {
  return {
    name,
    contexts: CONTEXTS,
    args: 1,
    repeat: 'error',
    syntax,
    apply: (_own, use) => {
      if (check(use) !== false && warning !== '') use.warn(warning);
    },
    doc: `No effect: ${reason}`,
  };
}

export const sslRows: readonly Row[] = [
  files('ssl_certificate', 'certificates', 'Certificate with its chain, in PEM; once for each kind of key.'),
  files('ssl_certificate_key', 'keys', 'Key of the certificate that is named in the same place of the list.'),
  onOff(
    'ssl_certificate_watch',
    'watchesCertificates',
    false,
    'Our own. Certificates, keys and the other files of TLS are looked at each second and read again when they change, in all workers together; what is bad is logged, and the old ones serve on.',
  ),
  file('ssl_password_file', 'passwordFile', 'Passwords for the keys, one a line.'),
  {
    name: 'ssl_protocols',
    contexts: CONTEXTS,
    args: [1, Number.POSITIVE_INFINITY],
    apply: (conf, use) => {
      conf.protocols = tlsProtocols(use, conf.protocols);
    },
    syntax: '[SSLv2] [SSLv3] [TLSv1] [TLSv1.1] [TLSv1.2] [TLSv1.3]',
    defaultText: 'TLSv1.2 TLSv1.3',
    doc: 'Versions of TLS. OpenSSL here has no SSLv2 and SSLv3.',
  },
  {
    name: 'ssl_ciphers',
    contexts: CONTEXTS,
    args: 1,
    field: 'ciphers',
    syntax: 'ciphers',
    defaultText: 'HIGH:!aNULL:!MD5',
    doc: "Ciphers up to TLS 1.2, in OpenSSL's words.",
  },
  onOff('ssl_prefer_server_ciphers', 'prefersServerCiphers', false, "The server's order of ciphers counts."),
  {
    name: 'ssl_ecdh_curve',
    contexts: CONTEXTS,
    args: 1,
    field: 'curves',
    syntax: 'curve',
    defaultText: 'auto',
    doc: 'Groups of the key exchange, with `:` between.',
  },
  file('ssl_dhparam', 'dhParameters', 'Parameters of DHE ciphers; without them there are none.'),
  {
    name: 'ssl_session_timeout',
    contexts: CONTEXTS,
    args: 1,
    field: 'sessionTimeoutSec',
    parse: timeSec(),
    syntax: 'time',
    defaultText: '5m',
    doc: 'How long a client may resume a session.',
  },
  {
    name: 'ssl_session_cache',
    contexts: CONTEXTS,
    args: [1, 2],
    repeat: 'last',
    field: 'sessionCache',
    parse: readSessionCache,
    syntax: 'off | none | [builtin[:size]] [shared:name:size]',
    defaultText: 'none',
    doc: 'Sessions that clients resume by their id: `shared` in one room for all workers, as large as it says, `builtin` in each worker for itself.',
  },
  onOff(
    'ssl_session_tickets',
    'hasTickets',
    true,
    'Clients resume sessions by tickets. Without, and where client certificates are verified, by `ssl_session_cache` alone.',
  ),
  files(
    'ssl_session_ticket_key',
    'ticketKeys',
    'Keys of the tickets: the first makes them, the others open what they had made. Without one the primary makes keys for all workers, a new one every 12 hours. Of 80 bytes only 48 are used.',
  ),
  onOff('ssl_reject_handshake', 'rejectsHandshake', false, 'Handshakes for this server are refused.'),
  {
    name: 'ssl_verify_client',
    contexts: CONTEXTS,
    args: 1,
    field: 'verify',
    parse: oneOf(VERIFY_MODES),
    syntax: 'on | off | optional | optional_no_ca',
    defaultText: 'off',
    doc: "Whether clients are asked for a certificate, and what becomes of those that can't be trusted.",
  },
  {
    name: 'ssl_verify_depth',
    contexts: CONTEXTS,
    args: 1,
    field: 'verifyDepth',
    parse: integer(),
    syntax: 'number',
    defaultText: '1',
    doc: "Most certificates between a client's and the root.",
  },
  file('ssl_client_certificate', 'clientCertificate', "Certificates that clients' are checked against."),
  file(
    'ssl_trusted_certificate',
    'trustedCertificate',
    'More of them. Clients are told their names too, which nginx keeps back.',
  ),
  file('ssl_crl', 'crl', 'Revoked certificates.'),
  {
    name: 'ssl_conf_command',
    contexts: CONTEXTS,
    args: 2,
    field: 'commands',
    repeat: 'append',
    parse: readConfCommand,
    syntax: 'name value',
    doc: 'Ciphersuites, CipherString, MinProtocol, MaxProtocol, Curves, Groups, SignatureAlgorithms and the more usual Options; others are refused.',
  },
  {
    name: 'ssl_buffer_size',
    contexts: CONTEXTS,
    args: 1,
    field: 'bufferBytes',
    parse: sizeBytes({ min: 1 }),
    syntax: 'size',
    defaultText: '16k',
    doc: 'Most bytes of a record: 512 at least, 16k at most.',
  },
  idle(
    'ssl_early_data',
    'on | off',
    flag,
    'Node takes no early data.',
    '"ssl_early_data" is not supported on this platform, ignored',
  ),
  onOff(
    'ssl_stapling',
    'staples',
    false,
    "Clients that ask get the certificate's OCSP response, once the responder has given one; the primary asks, for all workers. A responder that fails is a warning.",
  ),
  file('ssl_stapling_file', 'staplingFile', 'The OCSP response, in DER, instead of asking for it.'),
  {
    name: 'ssl_stapling_responder',
    contexts: CONTEXTS,
    args: 1,
    field: 'staplingResponder',
    syntax: 'url',
    doc: 'Whom to ask (`http://` only) instead of the one that the certificate names.',
  },
  onOff(
    'ssl_stapling_verify',
    'verifiesStaples',
    false,
    "OCSP responses must be signed by the certificate's issuer, by whom it has named for that, or by one of `ssl_trusted_certificate`.",
  ),
  {
    ...idle(
      'ssl_certificate_cache',
      'off | max=N [inactive=time] [valid=time]',
      texts,
      'certificates are read once, at start.',
    ),
    args: [1, 3],
  },
  idle('ssl_certificate_compression', 'on | off', flag, 'certificates are sent as they are.'),
  ...['ssl_ocsp', 'ssl_ocsp_responder', 'ssl_ocsp_cache', 'ssl_key_log', 'ssl_ech_file'].map(refused),
];

function refused(name: string): Row {
  return {
    name,
    contexts: CONTEXTS,
    args: 1,
    repeat: 'last',
    apply: (_own, use) => {
      // Saying that there is none of it is the truth.
      if (use.args[0] !== 'off') use.fail(`"${name}" directive is not supported`);
    },
    doc: 'Refused by name: not supported.',
  };
}
