import type { CheckOutcome } from './stack-check.ts';

const HIDDEN = '(hidden)';

/**
 * No secret in what is shown: a second line, should a server ever repeat what it was told. A secret of one or two characters is not looked for:
 * its letters would be taken out of every word.
 */
export function hideSecrets(outcome: CheckOutcome, secrets: readonly string[]): CheckOutcome {
  const hidden = secrets.filter((secret) => secret.length > 2);
  if (hidden.length === 0) return outcome;
  const hide = (text: string): string => hidden.reduce((shown, secret) => shown.replaceAll(secret, HIDDEN), text);
  const facts = Object.entries(outcome.facts).map(([name, value]) => [
    name,
    typeof value === 'string' ? hide(value) : value,
  ]);
  return { ...outcome, reason: hide(outcome.reason), facts: Object.fromEntries(facts) };
}
