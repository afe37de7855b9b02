/** Why a pattern is refused: PCRE2's words, and the offset at which it stopped reading. */
export class PatternError extends Error {
  readonly offset: number;

  constructor(text: string, offset: number) {
    super(text);
    this.name = 'PatternError';
    this.offset = offset;
  }
}

/** PCRE knows it, JavaScript has nothing to put in its place. */
export function notSupported(construct: string, offset: number): PatternError {
  return new PatternError(`${construct} is not supported`, offset);
}
