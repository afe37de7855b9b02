import { outcomeDetail, outcomeName } from '../probe/stack/describe-outcome.ts';
import type { CheckOutcome } from '../probe/stack/stack-check.ts';

const GREEN = '\x1b[32m';
const RED = '\x1b[31m';
const FAINT = '\x1b[2m';
const PLAIN = '\x1b[0m';

/** One round, for people: a line per check, `✓ Redis master is healthy`, where it is, and why it is not well or what was seen. */
export function checkTable(outcomes: readonly CheckOutcome[], hasColour: boolean): string {
  const paint = (colour: string, text: string): string => (hasColour ? colour + text + PLAIN : text);
  const rows = outcomes.map((outcome) => ({
    outcome,
    claim: `${outcomeName(outcome)} is ${outcome.isHealthy ? 'healthy' : 'not healthy'}`,
    detail: printable(outcomeDetail(outcome)),
    label: printable(outcome.label),
  }));
  const claimWidth = Math.max(...rows.map(({ claim }) => claim.length));
  const labelWidth = Math.max(...rows.map(({ label }) => label.length));
  const lines = rows.map(({ outcome: { isHealthy }, claim, label, detail }) => {
    const mark = isHealthy ? paint(GREEN, '✓') : paint(RED, '✗');
    const shown = isHealthy ? paint(FAINT, detail) : paint(RED, detail);
    return `${mark} ${claim.padEnd(claimWidth)}  ${label.padEnd(labelWidth)}  ${shown}`.trimEnd();
  });
  return `${lines.join('\n')}\n${summary(outcomes)}\n`;
}

function summary(outcomes: readonly CheckOutcome[]): string {
  const bad = outcomes.filter(({ isHealthy }) => !isHealthy).length;
  if (bad === 0) return `all ${outcomes.length} checks passed`;
  return `${bad} of ${outcomes.length} checks failed`;
}

/** A server's words must not steer the terminal. */
function printable(text: string): string {
  return text.replaceAll(/[\x00-\x1f\x7f-\x9f]/g, ' ');
}
