import { closeSync, openSync, readFileSync } from 'node:fs';
import { ConfigError, type Diagnostic } from './diagnostic.ts';
import { directoryOf, fullName } from './full-name.ts';
import { globPaths, isGlobPattern } from './glob.ts';
import { COMMAND_LINE, type ParseResult, parseText } from './parser.ts';
import { systemErrorText } from './system-error.ts';
import type { ConfigFile, ConfigSnapshot, Directive, SourcePos } from './tree.ts';

export interface LoadRequest {
  /** `-c`; relative: under `prefix`. */
  readonly file: string;
  /** `-p`, absolute; the closing `/` may be missing. */
  readonly prefix: string;
  /** `-g`: directives that come before the file's. Default: none. */
  readonly globalDirectives?: string;
}

export interface LoadResult {
  /** Everything that could be read, even with findings. */
  readonly snapshot: ConfigSnapshot;
  /** Missing files, include cycles; last, the syntax error. */
  readonly diagnostics: readonly Diagnostic[];
  /** False when a syntax error or an unreadable main file cut the tree short. */
  readonly isComplete: boolean;
}

/** Reads the main file and all that it includes. Never throws: what fails is a finding. */
export function loadConfig(request: LoadRequest): LoadResult {
  const prefix = request.prefix.endsWith('/') ? request.prefix : `${request.prefix}/`;
  const file = fullName(prefix, request.file);
  const loader = new Loader(directoryOf(file));

  const tree: Directive[] = [];
  let finding: Diagnostic | null = null;
  if (request.globalDirectives !== undefined && request.globalDirectives !== '') {
    const given = loader.parseCommandLine(request.globalDirectives);
    tree.push(...given.directives);
    finding = given.finding;
  }
  if (finding === null) {
    const main = loader.parseFile(file, null);
    for (const directive of main.directives) tree.push(directive);
    finding = main.finding;
  }
  if (finding !== null) loader.findings.push(finding);
  return {
    snapshot: { file, prefix, tree, files: [...loader.files.values()] },
    diagnostics: loader.findings,
    isComplete: finding === null && loader.files.has(file),
  };
}

class Loader {
  readonly findings: Diagnostic[] = [];
  /** By path: a file that is included twice is read once. */
  readonly files = new Map<string, ConfigFile>();
  readonly #base: string;
  readonly #reading: string[] = [];

  constructor(base: string) {
    this.#base = base;
  }

  parseCommandLine(text: string): ParseResult {
    return parseText({ text, file: COMMAND_LINE, origin: 'command-line', include: this.#include });
  }

  /** `via` is the `include`; null for the main file, whose absence has no position. */
  parseFile(path: string, via: SourcePos | null): ParseResult {
    if (this.#reading.includes(path)) {
      this.findings.push({ severity: 'emerg', text: `include cycle: "${path}" is being read already`, pos: via });
      return { directives: [], finding: null };
    }
    let text: string;
    try {
      text = this.#read(path);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      this.findings.push({ severity: 'emerg', text: error.message, pos: via });
      return { directives: [], finding: null };
    }
    this.#reading.push(path);
    const result = parseText({ text, file: path, include: this.#include, ...(via === null ? {} : { via }) });
    this.#reading.pop();
    return result;
  }

  readonly #include = (pattern: string, pos: SourcePos): ParseResult => {
    const path = fullName(this.#base, pattern);
    if (!isGlobPattern(path)) return this.parseFile(path, pos);
    const directives: Directive[] = [];
    for (const match of globPaths(path)) {
      const one = this.parseFile(match, pos);
      for (const directive of one.directives) directives.push(directive);
      if (one.finding !== null) return { directives, finding: one.finding };
    }
    return { directives, finding: null };
  };

  #read(path: string): string {
    const known = this.files.get(path);
    if (known !== undefined) return known.text;
    const name = Buffer.from(path, 'latin1');
    let fd: number;
    try {
      fd = openSync(name, 'r');
    } catch (error) {
      throw new ConfigError(`open() "${path}" failed (${systemErrorText(error)})`);
    }
    try {
      const text = readFileSync(fd, 'latin1');
      this.files.set(path, { path, text });
      return text;
    } catch (error) {
      throw new ConfigError(`pread() "${path}" failed (${systemErrorText(error)})`);
    } finally {
      closeSync(fd);
    }
  }
}
