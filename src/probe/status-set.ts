/** Status codes that are well: ranges, both ends included. */
export type StatusSet = readonly { readonly from: number; readonly to: number }[];

/** `200`, `200-399`, `200,204,301-302`. Null when it is none. */
export function parseStatusSet(text: string): StatusSet | null {
  const ranges: { from: number; to: number }[] = [];
  for (const part of text.split(',')) {
    const match = /^([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?$/.exec(part.trim());
    if (match === null) return null;
    const from = Number(match[1]);
    const to = Number(match[2] ?? from);
    if (to < from) return null;
    ranges.push({ from, to });
  }
  return ranges;
}

export function hasStatus(set: StatusSet, status: number): boolean {
  return set.some(({ from, to }) => status >= from && status <= to);
}

/** As it was written. */
export function statusSetText(set: StatusSet): string {
  return set.map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`)).join(',');
}
