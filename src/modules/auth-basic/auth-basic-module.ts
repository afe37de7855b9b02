import { readFileSync } from 'node:fs';
import { HTTP_SCOPES, LIMIT_EXCEPT } from '../../config/contexts.ts';
import { directive } from '../../config/directive-spec.ts';
import { fullName } from '../../config/full-name.ts';
import { systemErrorText } from '../../config/system-error.ts';
import { text } from '../../config/values.ts';
import { type AccessVerdict, DECLINED, GRANTED, settleAccess } from '../../http/access-phase.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { HttpModule } from '../../http/http-module.ts';
import { HEADER_ID } from '../../http/known-header.ts';
import { basicCredentials } from '../../http/variables/basic-user.ts';
import { checkPassword } from './check-password.ts';
import { storedPassword } from './htpasswd.ts';
import { KnownPasswords } from './known-passwords.ts';

export interface AuthBasicConf {
  /** With variables; `off` or null: nobody is asked. */
  realm: string | null;
  /** With variables; null: nobody is asked. */
  userFile: string | null;
}

export const authBasicModule: HttpModule<AuthBasicConf> = {
  name: 'auth-basic',
  defaults: () => ({ realm: null, userFile: null }),
  rows: [
    directive<AuthBasicConf>({
      name: 'auth_basic',
      contexts: HTTP_SCOPES | LIMIT_EXCEPT,
      args: 1,
      field: 'realm',
      parse: text,
      syntax: 'string | off',
      defaultText: 'off',
      doc: 'Asks for a user and a password; the string is the realm that browsers show.',
    }),
    directive<AuthBasicConf>({
      name: 'auth_basic_user_file',
      contexts: HTTP_SCOPES | LIMIT_EXCEPT,
      args: 1,
      field: 'userFile',
      parse: text,
      syntax: 'file',
      doc: 'Lines `user:password`, read at each request; passwords as `$apr1$`, `$1$`, `$5$`, `$6$`, `{SHA}`, `{SSHA}` or `{PLAIN}`.',
    }),
  ],
  compileLocation: ({ realm, userFile }, { variables, prefix, addPhase }) => {
    if (realm === null || userFile === null) return;
    const realmText = variables.template(realm);
    const file = variables.template(userFile);
    addPhase('access', (ex) =>
      settleAccess(
        ex,
        checkUser(ex, realmText.evaluate(ex), () => fullName(prefix, file.evaluate(ex))),
      ),
    );
  },
};

const known = new KnownPasswords();

function checkUser(ex: Exchange, realm: string, fileName: () => string): AccessVerdict {
  const { headers } = ex.request;
  const { errorLog } = ex.location;
  if (realm === 'off') return DECLINED;
  // 1. What the client says.
  const at = headers.find(HEADER_ID.authorization);
  const given = at < 0 ? null : basicCredentials(headers.value(at));
  if (given === null) {
    errorLog.write('info', ex, 'no user/password was provided for basic authentication');
    return challenge(ex, realm);
  }
  // 2. What the file says.
  const path = fileName();
  const content = readUsers(ex, path);
  if (typeof content === 'number') return content;
  const stored = storedPassword(content, given.user);
  if (stored === null) {
    errorLog.write('error', ex, `user "${given.user}" was not found in "${path}"`);
    return challenge(ex, realm);
  }
  // 3. Whether it is the same.
  if (known.has(given.password, stored)) return GRANTED;
  const isRight = checkPassword(given.password, stored);
  if (isRight === 'unsupported') {
    errorLog.write('crit', ex, `user "${given.user}": the kind of password hash in "${path}" is not supported`);
    return 500;
  }
  if (isRight) {
    known.add(given.password, stored);
    return GRANTED;
  }
  errorLog.write('error', ex, `user "${given.user}": password mismatch`);
  return challenge(ex, realm);
}

/** The file's bytes, or the status that its failure means. */
function readUsers(ex: Exchange, path: string): string | 403 | 500 {
  try {
    return readFileSync(Buffer.from(path, 'latin1'), 'latin1');
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    ex.location.errorLog.write(isMissing ? 'error' : 'crit', ex, `open() "${path}" failed (${systemErrorText(error)})`);
    return isMissing ? 403 : 500;
  }
}

function challenge({ response }: Exchange, realm: string): AccessVerdict {
  response.remove('www-authenticate');
  response.add('WWW-Authenticate', `Basic realm="${realm}"`);
  return 401;
}
