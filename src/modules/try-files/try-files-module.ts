import { LOCATION, SERVER } from '../../config/contexts.ts';
import { directive } from '../../config/directive-spec.ts';
import type { HttpModule } from '../../http/http-module.ts';
import { parseTryFiles, type TryFilesConf } from './parse-try-files.ts';
import { tryFiles } from './try-files-handler.ts';

export interface TryFilesModuleConf {
  /** Null: none; never inherited. */
  tryFiles: TryFilesConf | null;
}

export const tryFilesModule: HttpModule<TryFilesModuleConf> = {
  name: 'try-files',
  defaults: () => ({ tryFiles: null }),
  rows: [
    directive<TryFilesModuleConf>({
      name: 'try_files',
      contexts: SERVER | LOCATION,
      args: [2, Number.POSITIVE_INFINITY],
      field: 'tryFiles',
      inherit: 'none',
      parse: parseTryFiles,
      syntax: 'file … uri | file … =code',
      doc: 'The first of these files that is there answers, else the URI, the named location or the status at the end.',
    }),
  ],
  compileLocation: ({ tryFiles: conf }, build) => {
    if (conf !== null) build.addPhase('precontent', tryFiles(conf, build.variables));
  },
};
