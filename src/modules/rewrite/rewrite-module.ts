import { LOCATION, LOCATION_IF, SERVER, SERVER_IF } from '../../config/contexts.ts';
import { directive } from '../../config/directive-spec.ts';
import type { HttpModule } from '../../http/http-module.ts';
import { compileReturn, parseReturn, type ReturnConf } from './return.ts';

/** What the rewrite directives of one block say, in their order: they are a small program, and not inherited. */
export interface RewriteConf {
  steps: readonly ReturnConf[];
}

export const rewriteModule: HttpModule<RewriteConf> = {
  name: 'rewrite',
  defaults: () => ({ steps: [] }),
  rows: [
    directive<RewriteConf>({
      name: 'return',
      contexts: SERVER | SERVER_IF | LOCATION | LOCATION_IF,
      args: [1, 2],
      field: 'steps',
      repeat: 'append',
      inherit: 'none',
      parse: parseReturn,
      syntax: 'code [text] | code URL | URL',
      doc: 'Answers at once: with a text, a redirect (301, 302, 303, 307, 308; 302 where only a URL is given), an error page, or not at all (444 closes the connection).',
    }),
  ],
  compileLocation: ({ steps }, { addPhase, variables }) => {
    for (const step of steps) addPhase('rewrite', compileReturn(step, variables));
  },
};
