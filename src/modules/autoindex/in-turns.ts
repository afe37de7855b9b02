/** Steps between two looks at the event loop. */
const STEPS_PER_TURN = 2000;

/** Work that can be interrupted wherever it yields. */
export type Steps<T> = Generator<void, T>;

/** Does the work in pieces, each in its own turn of the event loop; gives up, with null, when `isWanted` says no. */
export async function inTurns<T>(steps: Steps<T>, isWanted: () => boolean): Promise<T | null> {
  for (;;) {
    for (let i = 0; i < STEPS_PER_TURN; i++) {
      const { done, value } = steps.next();
      if (done === true) return value;
    }
    await new Promise((resolve) => setImmediate(resolve));
    if (!isWanted()) return null;
  }
}

/** Items that are sorted at once, being few. */
const RUN = 256;

/** Sorts by merging, a step an item. */
export function* sortSteps<T>(items: readonly T[], isBefore: (a: T, b: T) => boolean): Steps<T[]> {
  const compare = (a: T, b: T) => (isBefore(a, b) ? -1 : isBefore(b, a) ? 1 : 0);
  let runs: T[][] = [];
  for (let i = 0; i < items.length; i += RUN) {
    const run = items.slice(i, i + RUN).sort(compare);
    for (let step = 0; step < run.length; step++) yield;
    runs.push(run);
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let i = 0; i < runs.length; i += 2) {
      const next = runs[i + 1];
      const run = runs[i] as T[];
      merged.push(next === undefined ? run : yield* merge(run, next, isBefore));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

function* merge<T>(a: readonly T[], b: readonly T[], isBefore: (a: T, b: T) => boolean): Steps<T[]> {
  const merged: T[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    yield;
    if (j === b.length || (i < a.length && !isBefore(b[j] as T, a[i] as T))) merged.push(a[i++] as T);
    else merged.push(b[j++] as T);
  }
  return merged;
}
