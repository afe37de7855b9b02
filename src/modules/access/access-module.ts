import { HTTP_SCOPES, LIMIT_EXCEPT } from '../../config/contexts.ts';
import { type DirectiveSpec, directive } from '../../config/directive-spec.ts';
import { respondStatus } from '../../http/error-response.ts';
import type { HttpModule } from '../../http/http-module.ts';
import { DONE, NEXT } from '../../http/location.ts';
import { type AccessRule, isDenied, parseAccessRule } from './access-rule.ts';

export interface AccessConf {
  /** In the order of the file: the first that fits decides; none: allowed. */
  rules: readonly AccessRule[];
}

const rule = (name: string, isDeny: boolean, doc: string): DirectiveSpec<AccessConf> =>
  directive<AccessConf>({
    name,
    contexts: HTTP_SCOPES | LIMIT_EXCEPT,
    args: 1,
    field: 'rules',
    repeat: 'append',
    parse: (use) => parseAccessRule(use, isDeny),
    syntax: 'address | CIDR | unix: | all',
    doc,
  });

export const accessModule: HttpModule<AccessConf> = {
  name: 'access',
  defaults: () => ({ rules: [] }),
  rows: [
    rule('allow', false, 'Lets clients with such an address in. The first `allow` or `deny` that fits decides.'),
    rule('deny', true, 'Answers clients with such an address with 403. The first `allow` or `deny` that fits decides.'),
  ],
  compileLocation: ({ rules }, build) => {
    if (rules.length === 0) return;
    build.addPhase('access', (ex) => {
      const { connection } = ex;
      if (!isDenied(rules, connection.unixPath === '' ? connection.remoteAddress : null)) return NEXT;
      ex.location.errorLog.write('error', ex, 'access forbidden by rule');
      respondStatus(ex, 403);
      return DONE;
    });
  },
};
