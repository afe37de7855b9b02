import type { Pattern } from '../http/pcre/compile-pattern.ts';

/** A `match` block, or what holds without one. All texts are byte strings. */
export interface ResponseMatch {
  /** Null: any status will do. */
  readonly status: StatusTest | null;
  readonly headers: readonly HeaderTest[];
  readonly bodies: readonly TextTest[];
}

export interface StatusTest {
  /** `status ! …`. */
  readonly isNegated: boolean;
  readonly ranges: readonly (readonly [from: number, to: number])[];
}

export interface HeaderTest {
  /** Lower case. */
  readonly name: string;
  /** Null: whether the field is there at all. */
  readonly value: TextTest | null;
  /** `header ! NAME`: it must not be there. */
  readonly isAbsent: boolean;
}

/** `= text`, `~ pattern`, and their opposites. */
export interface TextTest {
  readonly isNegated: boolean;
  readonly wanted: string | Pattern;
}

/** What came back. */
export interface CheckedResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** What was being checked when it failed, and why; `reason` '' = all is well. */
export interface MatchVerdict {
  readonly doing: string;
  readonly reason: string;
}

/** nginx Plus without `match`: 200 to 399. */
export const ANY_SUCCESS: ResponseMatch = {
  status: { isNegated: false, ranges: [[200, 399]] },
  headers: [],
  bodies: [],
};

/** Asks status, header fields and body, in this order. */
export function matchResponse(match: ResponseMatch, response: CheckedResponse): MatchVerdict {
  let doing = 'checking status code';
  if (match.status !== null && !isStatus(match.status, response.status)) {
    return { doing, reason: `status is ${response.status}` };
  }
  for (const test of match.headers) {
    doing = 'checking headers';
    const values = response.headers.filter(([name]) => name === test.name).map(([, value]) => value);
    const reason = headerReason(test, values);
    if (reason !== '') return { doing, reason };
  }
  for (const test of match.bodies) {
    doing = 'checking body';
    if (!isText(test, response.body)) return { doing, reason: 'the body does not match' };
  }
  return { doing, reason: '' };
}

export function isStatus({ ranges, isNegated }: StatusTest, status: number): boolean {
  return ranges.some(([from, to]) => status >= from && status <= to) !== isNegated;
}

/** A text is wanted as a whole, a pattern anywhere. */
export function isText({ wanted, isNegated }: TextTest, text: string): boolean {
  return (typeof wanted === 'string' ? text === wanted : wanted.test(text)) !== isNegated;
}

function headerReason({ name, value, isAbsent }: HeaderTest, values: readonly string[]): string {
  if (isAbsent) return values.length === 0 ? '' : `there is a field "${name}"`;
  // A negated test is true of a field that is not there.
  if (values.length === 0) return value?.isNegated === true ? '' : `there is no field "${name}"`;
  if (value === null) return '';
  const isRight = value.isNegated
    ? values.every((one) => isText(value, one))
    : values.some((one) => isText(value, one));
  return isRight ? '' : `field "${name}" does not match`;
}
