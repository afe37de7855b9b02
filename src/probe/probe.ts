/** Where a probe looks. A `PeerAddress` is one; `host` may also be a name, for whoever probes by name. */
export type ProbeTarget =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** What was learned on the way, beside the verdict: `{ role: 'replica', lag_bytes: 1024 }`. Names in snake_case, units last. No secrets. */
export type ProbeFacts = Readonly<Record<string, string | number | boolean | null>>;

/** One look at one target. */
export interface ProbeResult {
  /** True only when everything that was asked for was seen. */
  readonly isPassed: boolean;
  /**
   * What was being done when it failed, as it follows "while" in the log: `connecting to upstream`, `checking status code`,
   * `checking role`. When it passed: what was checked last.
   */
  readonly doing: string;
  /** Why it failed, in words and numbers, without passwords: `connection refused`, `role is replica, primary expected`. '' when it passed. */
  readonly reason: string;
  readonly facts: ProbeFacts;
}

/**
 * One kind of check, with its settings bound. `run` never rejects and never outlives `signal`: when that is aborted it lets go of
 * its sockets and answers "not passed" with `timedOut(doing)`. It fails closed: what could not be seen is not healthy. Runs do not
 * share sockets, unless the probe says so (`keepalive_time`).
 */
export interface Probe {
  run(target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult>;
  /** Lets go of what is kept between runs. */
  close?(): void;
}

/** A result that passed. */
export function passed(doing: string, facts: ProbeFacts = {}): ProbeResult {
  return { isPassed: true, doing, reason: '', facts };
}

/** A result that did not pass. */
export function failed(doing: string, reason: string, facts: ProbeFacts = {}): ProbeResult {
  return { isPassed: false, doing, reason, facts };
}

/** What a probe answers when its time was over. */
export function timedOut(doing: string, facts: ProbeFacts = {}): ProbeResult {
  return failed(doing, 'timed out', facts);
}

/** `127.0.0.1:8080`, `[::1]:80`, `unix:/run/x.sock`. */
export function probeTargetText(target: ProbeTarget): string {
  if (target.kind === 'unix') return `unix:${target.path}`;
  return target.host.includes(':') ? `[${target.host}]:${target.port}` : `${target.host}:${target.port}`;
}
