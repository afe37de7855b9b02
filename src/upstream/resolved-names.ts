/** One address of a name, as getaddrinfo gave it. */
export interface ResolvedAddress {
  readonly host: string;
  readonly family: 4 | 6;
}

/** Names of a configuration and their addresses, plain JSON: goes with the snapshot to every worker. A name that did not resolve has none. */
export type ResolvedNames = Readonly<Record<string, readonly ResolvedAddress[]>>;
