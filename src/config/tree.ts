/** Where a directive stands: the file as nginx prints it and its line, counted from 1. */
export interface SourcePos {
  readonly file: string;
  /** 0 for what came with `-g`: the command line has no lines. */
  readonly line: number;
  /** Characters read of the file by then: tells the order of two findings of one line. */
  readonly offset?: number;
  /** The `include` that brought this file in; absent in the main file. */
  readonly via?: SourcePos;
}

/**
 * One directive of the configuration, plain JSON, so that a whole tree travels between processes.
 * `include` never appears: the loader has put the included directives in its place.
 * All strings are byte strings (latin1: one char = one byte), quotes and escapes already resolved.
 */
export interface Directive {
  readonly name: string;
  readonly args: readonly string[];
  /** The directives between `{` and `}`; null for one that ends with `;`. */
  readonly block: readonly Directive[] | null;
  /** nginx reports the line where the directive ended (`;` or `{`). */
  readonly pos: SourcePos;
  /** Where the block's `}` stands; absent without a block. */
  readonly end?: SourcePos;
}

/** One file as it was read, for `-T` and for handing a whole configuration to the workers. */
export interface ConfigFile {
  readonly path: string;
  readonly text: string;
}

/** A configuration with all its includes resolved: what the primary hands to every worker. */
export interface ConfigSnapshot {
  /** Absolute path of the main file. */
  readonly file: string;
  /** Absolute prefix that relative paths (logs, pid, temp) resolve against; ends in `/`. */
  readonly prefix: string;
  /** The main context's directives, those of `-g` included. */
  readonly tree: readonly Directive[];
  /** Every file once, in the order read. */
  readonly files: readonly ConfigFile[];
}
