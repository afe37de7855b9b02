import { wireStatus } from '../../http/error-pages.ts';
import { sendStatusPage } from '../../http/error-response.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { ErrorPageHandler } from '../../http/location.ts';
import { internalRedirect, MAX_REDIRECTS, namedLocation } from '../../http/phases.ts';
import type { Template, VariableCompiler } from '../../http/variable.ts';
import type { ErrorPageConf } from './parse-error-page.ts';

interface CompiledPage {
  /** Status that goes out; 0: what the page's own answer says; -1: the error's own. */
  readonly answerStatus: number;
  readonly target: Template;
}

export interface ErrorPages {
  readonly handler: ErrorPageHandler;
  readonly statuses: ReadonlySet<number>;
}

const REDIRECTS = [301, 302, 303, 307, 308];

/** The `error_page`s of one location. `isRecursive`: an error within a page may have a page of its own. */
export function compileErrorPages(
  confs: readonly ErrorPageConf[],
  isRecursive: boolean,
  variables: VariableCompiler,
): ErrorPages {
  const pages = new Map<number, CompiledPage>();
  for (const { statuses, answerStatus, target, pos } of confs) {
    variables.pos = pos;
    const template = variables.template(target);
    for (const status of statuses) {
      // The first one that names a status counts.
      if (pages.has(status)) continue;
      // nginx's own statuses never go out as they are.
      const isOwn = answerStatus < 0 && wireStatus(status) !== status;
      pages.set(status, { answerStatus: isOwn ? wireStatus(status) : answerStatus, target: template });
    }
  }
  const handler: ErrorPageHandler = (ex, status) => {
    if (ex.isErrorPage || ex.redirects > MAX_REDIRECTS) return false;
    ex.isErrorPage = !isRecursive;
    const page = pages.get(status);
    if (page === undefined) return false;
    goTo(ex, page);
    return true;
  };
  return { handler, statuses: new Set(pages.keys()) };
}

function goTo(ex: Exchange, { answerStatus, target }: CompiledPage): void {
  if (answerStatus >= 0) ex.errorStatus = answerStatus;
  const to = target.evaluate(ex);
  const { request, response } = ex;
  // A line that could not be read has no method.
  if (request.method === '') request.method = 'GET';

  // 1. Another URI of this server, asked for with GET.
  if (to.startsWith('/')) {
    if (request.method !== 'HEAD') request.method = 'GET';
    const query = to.indexOf('?');
    if (query < 0) internalRedirect(ex, to, '');
    else internalRedirect(ex, to.slice(0, query), to.slice(query + 1));
    return;
  }
  // 2. A named location, with everything as it came.
  if (to.startsWith('@')) {
    namedLocation(ex, to);
    return;
  }
  // 3. A redirect.
  response.remove('location');
  response.add('Location', to);
  sendStatusPage(ex, REDIRECTS.includes(answerStatus) ? answerStatus : 302);
}
