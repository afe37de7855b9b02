import type { LoadRequest } from '../config/load.ts';
import { parseText } from '../config/parser.ts';
import { type ReadConfig, readConfig } from '../config/read.ts';
import type { ConfigSnapshot } from '../config/tree.ts';
import { readScopes } from '../config/walk.ts';
import { MODULES } from '../runtime/module-list.ts';

/** Where a configuration comes from; read anew at each reload. */
export interface ConfigSource {
  /** The main file as messages name it. */
  readonly file: string;
  readonly prefix: string;
  read(): ReadConfig;
}

/** A configuration file, as nginx has it. */
export function fileSource(request: LoadRequest): ConfigSource {
  return { file: request.file, prefix: request.prefix, read: () => readConfig(request, MODULES) };
}

/** A text that was made here (`evenkeel serve`); `name` stands for the file in messages. */
export function textSource(text: string, name: string, prefix: string): ConfigSource {
  return {
    file: name,
    prefix,
    read: () => {
      const parsed = parseText({ text, file: name });
      const walked = readScopes(parsed.directives, MODULES, { merge: parsed.finding === null });
      const snapshot: ConfigSnapshot = { file: name, prefix, tree: parsed.directives, files: [{ path: name, text }] };
      const found = parsed.finding === null ? [] : [parsed.finding];
      return { snapshot, main: walked.main, diagnostics: [...walked.diagnostics, ...found] };
    },
  };
}
