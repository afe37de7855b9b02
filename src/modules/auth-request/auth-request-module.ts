import { HTTP_SCOPES } from '../../config/contexts.ts';
import { directive } from '../../config/directive-spec.ts';
import type { Scope } from '../../config/scope.ts';
import type { SourcePos } from '../../config/tree.ts';
import { text } from '../../config/values.ts';
import { variableName } from '../../config/variable-name.ts';
import type { HttpModule } from '../../http/http-module.ts';
import type { VariableCompiler } from '../../http/variable.ts';
import { authRequestHandler } from './auth-request-handler.ts';

/** One `auth_request_set`. */
export interface AuthRequestSetConf {
  /** Without `$`. */
  readonly name: string;
  /** With variables, those of the subrequest. */
  readonly value: string;
  readonly pos: SourcePos;
}

export interface AuthRequestConf {
  /** Path that is asked; null: `off`. */
  uri: string | null;
  sets: readonly AuthRequestSetConf[];
}

/** nginx's ngx_http_auth_request_module: another server is asked whether a request may pass. */
export const authRequestModule: HttpModule<AuthRequestConf> = {
  name: 'auth-request',
  defaults: () => ({ uri: null, sets: [] }),
  rows: [
    directive<AuthRequestConf>({
      name: 'auth_request',
      contexts: HTTP_SCOPES,
      args: 1,
      field: 'uri',
      parse: (use) => (text(use) === 'off' ? null : text(use)),
      syntax: 'uri | off',
      defaultText: 'off',
      doc: 'Asks this location with a GET before the request goes on: 2xx lets it pass, 401 and 403 refuse it, anything else is answered with 500.',
    }),
    directive<AuthRequestConf>({
      name: 'auth_request_set',
      contexts: HTTP_SCOPES,
      args: 2,
      field: 'sets',
      repeat: 'append',
      parse: (use) => {
        const [name = '', value = ''] = use.args;
        return { name: variableName(use, name), value, pos: use.pos };
      },
      syntax: '$variable value',
      doc: 'Gives a variable a value when `auth_request` was answered; variables in it are those of the answer (`$upstream_http_x_user`).',
    }),
  ],
  compileHttp: (_conf, scope, variables) => declareVariables(scope, variables),
  compileLocation: ({ uri, sets }, build) => {
    if (uri === null) return;
    const { variables } = build;
    const assignments = sets.map(({ name, value, pos }) => {
      variables.pos = pos;
      return { assign: variables.assignment(name, true), value: variables.template(value) };
    });
    build.addPhase('access', authRequestHandler(uri, assignments));
  },
};

/** Every one, before anything reads it, and also where nobody is asked. */
function declareVariables(scope: Scope, variables: VariableCompiler): void {
  for (const { name, value, pos } of scope.conf(authRequestModule).sets) {
    variables.pos = pos;
    variables.assignment(name, true);
    variables.template(value);
  }
  for (const child of scope.children) declareVariables(child, variables);
}
