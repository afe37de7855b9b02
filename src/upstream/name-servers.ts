/** One `resolver` directive. */
export interface NameServers {
  /** `127.0.0.1:53`, `[::1]:53`: asked in turn, each query first of another one. */
  readonly servers: readonly string[];
  /** `valid=`: how long an answer is used, ms; null = as long as it says itself (its TTL). */
  readonly validMs: number | null;
  /** Whether addresses of that family are asked for. */
  readonly wantsIpv4: boolean;
  readonly wantsIpv6: boolean;
}
