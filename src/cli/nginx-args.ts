/** Words of `-s`. */
export const SIGNAL_WORDS = ['stop', 'quit', 'reopen', 'reload'] as const;
export type SignalWord = (typeof SIGNAL_WORDS)[number];

export interface NginxArgs {
  showsHelp: boolean;
  showsVersion: boolean;
  showsConfigure: boolean;
  tests: boolean;
  dumps: boolean;
  isQuiet: boolean;
  prefix: string | null;
  confFile: string | null;
  errorLog: string | null;
  globals: string;
  signal: SignalWord | null;
}

/** A command line that nginx would refuse; its words, without `nginx: `. */
export class ArgsError extends Error {
  override readonly name = 'ArgsError';
}

/** What the letters that take an argument say when it is missing. */
const MISSING: Readonly<Record<string, string>> = {
  p: 'requires directory name',
  e: 'requires file name',
  c: 'requires file name',
  g: 'requires parameter',
  s: 'requires parameter',
};

/** Reads nginx's command line (without the program's name): letters may be joined (`-tqc file`, `-cfile`). Throws ArgsError. */
export function parseNginxArgs(argv: readonly string[]): NginxArgs {
  const args: NginxArgs = {
    showsHelp: false,
    showsVersion: false,
    showsConfigure: false,
    tests: false,
    dumps: false,
    isQuiet: false,
    prefix: null,
    confFile: null,
    errorLog: null,
    globals: '',
    signal: null,
  };
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? '';
    if (!word.startsWith('-')) throw new ArgsError(`invalid option: "${word}"`);
    for (let i = 1; i < word.length; i++) {
      const letter = word[i] ?? '';
      const missing = MISSING[letter];
      if (missing === undefined) {
        setSwitch(args, letter);
        continue;
      }
      // The rest of this word, else the next one.
      const value = i + 1 < word.length ? word.slice(i + 1) : argv[++at];
      if (value === undefined) throw new ArgsError(`option "-${letter}" ${missing}`);
      setValue(args, letter, value);
      break;
    }
  }
  return args;
}

function setSwitch(args: NginxArgs, letter: string): void {
  switch (letter) {
    case '?':
    case 'h':
      args.showsVersion = true;
      args.showsHelp = true;
      return;
    case 'v':
      args.showsVersion = true;
      return;
    case 'V':
      args.showsVersion = true;
      args.showsConfigure = true;
      return;
    case 't':
      args.tests = true;
      return;
    case 'T':
      args.tests = true;
      args.dumps = true;
      return;
    case 'q':
      args.isQuiet = true;
      return;
    default:
      throw new ArgsError(`invalid option: "${letter}"`);
  }
}

function setValue(args: NginxArgs, letter: string, value: string): void {
  if (letter === 'p') args.prefix = value;
  else if (letter === 'e') args.errorLog = value;
  else if (letter === 'c') args.confFile = value;
  else if (letter === 'g') args.globals = value;
  else args.signal = SIGNAL_WORDS.find((word) => word === value) ?? invalidSignal(value);
}

function invalidSignal(value: string): never {
  throw new ArgsError(`invalid option: "-s ${value}"`);
}
