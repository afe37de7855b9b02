/**
 * Where evenkeel answers otherwise than nginx on purpose. Each key is a row of the README's table of deliberate differences;
 * a case may only deviate from nginx by naming one.
 */
export const DELIBERATE_DIFFERENCES = {
  'strict framing':
    'Ambiguous message framing is refused with 400 (requests) or 502 (responses) and the connection is closed, also where nginx picks an interpretation.',
  'early bytes':
    'Bytes of a response pass on as they come. nginx holds back up to 1460 of them (`postpone_output`) and drops them when the upstream then breaks off.',
  'newer than the oracle':
    'The followed version of nginx behaves otherwise than the older one that Debian ships: not a difference from nginx, but one from the oracle.',
  'names that do not resolve':
    'An upstream name that does not resolve at start is a peer that is down, with a warning; nginx refuses to start.',
  'place of findings':
    'A finding names the file and line of what it is about, also where nginx names none (unknown variables) or the end of the block (sizes of buffers).',
  'own commands':
    'A first word that is no flag is one of our own commands (`serve`, `check`, `demo`); nginx refuses it.',
  'all findings': '`-t` and a start report every finding of the configuration, nginx only the first.',
} as const;

export type DeliberateDifference = keyof typeof DELIBERATE_DIFFERENCES;
