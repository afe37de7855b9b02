/** Aborted by SIGINT or SIGTERM: the command ends in order. A second one ends it at once. */
export function endSignal(): AbortSignal {
  const end = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end.abort());
  return end.signal;
}
