import type { BalancerDef } from '../balancer.ts';
import { hash } from './hash.ts';
import { ipHash } from './ip-hash.ts';
import { leastConn } from './least-conn.ts';
import { random } from './random.ts';
import { roundRobin } from './round-robin.ts';

/** Every load balancing method; the default first. */
export const BALANCERS: readonly BalancerDef[] = [roundRobin, leastConn, ipHash, hash, random];
