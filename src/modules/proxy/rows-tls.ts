import { HTTP_SCOPES } from '../../config/contexts.ts';
import type { DirectiveSpec, DirectiveUse } from '../../config/directive-spec.ts';
import { integer, text, texts, wordList } from '../../config/values.ts';
import { TLS_PROTOCOLS } from '../../net/tls-context.ts';
import { readConfCommand } from '../ssl/conf-command.ts';
import type { ProxyConf } from './proxy-conf.ts';

const tlsProtocols = wordList(TLS_PROTOCOLS);

type Row = DirectiveSpec<ProxyConf>;

function fileName(use: DirectiveUse): string {
  const [name = ''] = use.args;
  if (name.includes('$')) use.fail(`variables in "${use.name}" are not supported`);
  if (/^(data|engine|store):/.test(name)) use.fail(`"${name}" in "${use.name}" is not supported: a file's name is`);
  return name;
}

const file = (name: string, field: keyof ProxyConf, doc: string): Row => ({
  name,
  contexts: HTTP_SCOPES,
  args: 1,
  field,
  parse: fileName,
  syntax: 'file',
  doc,
});

const onOff = (name: string, field: keyof ProxyConf, isOn: boolean, doc: string): Row => ({
  name,
  contexts: HTTP_SCOPES,
  args: 'flag',
  field,
  syntax: 'on | off',
  defaultText: isOn ? 'on' : 'off',
  doc,
});

/** TLS to peers. */
export const tlsRows: readonly Row[] = [
  onOff('proxy_ssl_server_name', 'sslServerName', false, 'Peers are told the name by SNI.'),
  {
    name: 'proxy_ssl_name',
    contexts: HTTP_SCOPES,
    args: 1,
    field: 'sslName',
    parse: text,
    syntax: 'name',
    defaultText: '$proxy_host',
    doc: "Name that the peer's certificate is checked for, and that SNI tells.",
  },
  onOff('proxy_ssl_verify', 'sslVerify', false, "The peer's certificate is verified."),
  {
    name: 'proxy_ssl_verify_depth',
    contexts: HTTP_SCOPES,
    args: 1,
    field: 'sslVerifyDepth',
    parse: integer(),
    syntax: 'number',
    defaultText: '1',
    doc: "Most certificates between the peer's and the root.",
  },
  file('proxy_ssl_trusted_certificate', 'sslTrustedCertificate', "Certificates that the peers' are checked against."),
  file('proxy_ssl_crl', 'sslCrl', 'Revoked certificates.'),
  file('proxy_ssl_certificate', 'sslCertificate', 'Our own certificate, for peers that ask for one.'),
  file('proxy_ssl_certificate_key', 'sslCertificateKey', 'Its key.'),
  file('proxy_ssl_password_file', 'sslPasswordFile', 'Passwords for the key, one a line.'),
  {
    name: 'proxy_ssl_protocols',
    contexts: HTTP_SCOPES,
    args: [1, Number.POSITIVE_INFINITY],
    apply: (conf, use) => {
      conf.sslProtocols = tlsProtocols(use, conf.sslProtocols);
    },
    syntax: '[SSLv2] [SSLv3] [TLSv1] [TLSv1.1] [TLSv1.2] [TLSv1.3]',
    defaultText: 'TLSv1.2 TLSv1.3',
    doc: 'Versions of TLS to peers. OpenSSL here has no SSLv2 and SSLv3.',
  },
  {
    name: 'proxy_ssl_ciphers',
    contexts: HTTP_SCOPES,
    args: 1,
    field: 'sslCiphers',
    syntax: 'ciphers',
    defaultText: 'DEFAULT',
    doc: "Ciphers up to TLS 1.2, in OpenSSL's words.",
  },
  onOff('proxy_ssl_session_reuse', 'sslSessionReuse', true, 'Sessions of peers are resumed.'),
  {
    name: 'proxy_ssl_conf_command',
    contexts: HTTP_SCOPES,
    args: 2,
    field: 'sslCommands',
    repeat: 'append',
    parse: readConfCommand,
    syntax: 'name value',
    doc: 'As ssl_conf_command, for connections to peers.',
  },
  {
    name: 'proxy_ssl_certificate_cache',
    contexts: HTTP_SCOPES,
    args: [1, 3],
    repeat: 'error',
    apply: (_own, use) => void texts(use),
    syntax: 'off | max=N [inactive=time] [valid=time]',
    doc: 'No effect: certificates are read once, at start.',
  },
  {
    name: 'proxy_ssl_key_log',
    contexts: HTTP_SCOPES,
    args: 1,
    repeat: 'last',
    apply: (_own, use) => use.fail(`"${use.name}" directive is not supported`),
    doc: 'Refused by name: not supported.',
  },
];
