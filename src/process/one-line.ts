/** An error with its stack, as one line of a log. */
export function oneLine(error: Error): string {
  return (error.stack ?? error.message).replaceAll(/\s*\n\s*/g, ' | ');
}
