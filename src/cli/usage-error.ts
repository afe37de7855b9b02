/** A command line that was refused: what is wrong and what is allowed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
