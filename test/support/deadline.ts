import { setTimeout as sleep } from 'node:timers/promises';

/** Fails with `what` when the promise has not settled within `deadlineMs`. */
export async function within<T>(promise: Promise<T>, deadlineMs: number, what: string): Promise<T> {
  const timer = new AbortController();
  const late = sleep(deadlineMs, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`${what}: not within ${deadlineMs} ms`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.abort();
    late.catch(() => undefined); // the abort that was just asked for
  }
}

/** Polls every `everyMs` until `probe` answers something, or gives `undefined` after `deadlineMs`. */
export async function poll<T>(probe: () => T | undefined, deadlineMs: number, everyMs = 5): Promise<T | undefined> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const found = probe();
    if (found !== undefined) return found;
    if (performance.now() >= end) return undefined;
    await sleep(everyMs);
  }
}
