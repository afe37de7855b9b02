import type { PeerSet } from './peer-set.ts';
import type { PickState } from './pick-state.ts';

/** Chooses peers of one set. Made once per set; `pick` allocates nothing. */
export interface Balancer {
  /**
   * Index of the peer that gets the request, which now counts as active and tried; -1 = none is available.
   * Each pick is paired with exactly one `release` of the group.
   */
  pick(state: PickState, nowMs: number): number;
  /** The request left the peer (`active` is already one less). Only for balancers that keep a structure. */
  release?(index: number): void;
}

/** 32 random bits, as an unsigned integer. */
export type RandomSource = () => number;

export interface BalancerInit {
  readonly set: PeerSet;
  /** The directive's arguments: `['two', 'least_conn']`, `['$uri', 'consistent']`. */
  readonly args: readonly string[];
  readonly random: RandomSource;
}

/** What `server` lines may say beside this method (nginx refuses the rest by name). */
export interface BalancerLimits {
  readonly backup: boolean;
  /** `slow_start`: it reads the weight at every pick. */
  readonly slowStart: boolean;
}

/** One load balancing method: the row of its directive and what runs are made from the same thing. */
export interface BalancerDef {
  /** nginx's directive; 'round_robin' has none in nginx. */
  readonly directive: string;
  /** Number of arguments, least and most. */
  readonly args: readonly [min: number, max: number];
  /** What PickState needs before the first pick: the evaluated first argument, the client's address, nothing. */
  readonly needs: 'key' | 'address' | 'nothing';
  readonly supports: BalancerLimits;
  /** Null when the arguments are good, else nginx's words. */
  readonly checkArgs?: (args: readonly string[]) => string | null;
  readonly doc: string;
  readonly syntax: string;
  create(init: BalancerInit): Balancer;
}
