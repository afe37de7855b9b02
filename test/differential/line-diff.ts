/** Lines that both texts have, with those of one side marked: `nginx    | …`, `evenkeel | …`. */
export function lineDiff(nginx: string, evenkeel: string): string {
  const a = nginx.split('\n');
  const b = evenkeel.split('\n');
  const common = commonLengths(a, b);
  const at = (i: number, j: number) => common[i * (b.length + 1) + j] ?? 0;
  const out: string[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      out.push(`         | ${a[i]}`);
      i++;
      j++;
    } else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))) {
      out.push(`nginx    | ${a[i++]}`);
    } else {
      out.push(`evenkeel | ${b[j++]}`);
    }
  }
  return out.join('\n');
}

/** Length of the longest common subsequence from (i, j) on, as rows of a flat table. */
function commonLengths(a: readonly string[], b: readonly string[]): Uint16Array {
  const width = b.length + 1;
  const table = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const below = table[(i + 1) * width + j] ?? 0;
      const right = table[i * width + j + 1] ?? 0;
      table[i * width + j] = a[i] === b[j] ? (table[(i + 1) * width + j + 1] ?? 0) + 1 : Math.max(below, right);
    }
  }
  return table;
}
