import { SERVER } from '../../config/contexts.ts';
import { ConfigError } from '../../config/diagnostic.ts';
import type { DirectiveSpec } from '../../config/directive-spec.ts';
import type { HttpModule } from '../../http/http-module.ts';
import { type SslConf, sslDefaults } from './ssl-conf.ts';
import { sslRows } from './ssl-rows.ts';
import { SSL_VARIABLES } from './ssl-variables.ts';

/** TLS to clients. What a server makes of it is compiled by `serverTls` (server-tls.ts), once per server. */
export const sslModule: HttpModule<SslConf> = {
  name: 'ssl',
  defaults: sslDefaults,
  rows: sslRows.map(withPosition),
  variables: SSL_VARIABLES,
  finish: (merged, own, scope) => {
    merged.positions = { ...scope.parent?.conf(sslModule).positions, ...own.positions };
    if (scope.context === SERVER) checkKeys(merged);
  },
};

function checkKeys({ certificates, keys, positions }: SslConf): void {
  const last = certificates.at(-1);
  if (last === undefined || keys.length >= certificates.length) return;
  throw new ConfigError(
    `no "ssl_certificate_key" is defined for certificate "${last}"`,
    positions['ssl_certificate'] ?? null,
  );
}

/** The row, which also notes where the directive stands. */
function withPosition(row: DirectiveSpec<SslConf>): DirectiveSpec<SslConf> {
  return {
    ...row,
    apply: (own, use) => {
      own.positions = { ...own.positions, [use.name]: use.pos };
      row.apply?.(own, use);
    },
  };
}
