/**
 * Where evenkeel answers otherwise than nginx on purpose. Each key is a row of the README's table of deliberate differences;
 * a case may only deviate from nginx by naming one.
 */
export const DELIBERATE_DIFFERENCES = {
  'strict framing':
    'Ambiguous message framing is refused with 400 (requests) or 502 (responses) and the connection is closed, also where nginx picks an interpretation.',
  'newer than the oracle':
    'The followed version of nginx behaves otherwise than the older one that Debian ships: not a difference from nginx, but one from the oracle.',
  'names that do not resolve':
    'An upstream name that does not resolve at start is a peer that is down, with a warning; nginx refuses to start.',
  'all findings': '`-t` and a start report every finding of the configuration, nginx only the first.',
} as const;

export type DeliberateDifference = keyof typeof DELIBERATE_DIFFERENCES;
