import { nowMs } from '../core/clock.ts';
import { slowStartWeight } from '../policy/health/slow-start.ts';
import type { Peer } from './peer.ts';

const STEPS = 100;
const FINEST_MS = 20;
const COARSEST_MS = 1000;

const timers = new WeakMap<Peer, NodeJS.Timeout>();

/** A peer came back at `sinceMs`: with `slow_start` its weight grows from nearly nothing to all of it. Nothing runs without, or once it is done. */
export function startSlowly(peer: Peer, sinceMs: number, now: () => number = nowMs): void {
  stopSlowStart(peer);
  if (isAtFullWeight(peer, sinceMs, now())) return;
  const everyMs = Math.min(Math.max(peer.conf.slowStartMs / STEPS, FINEST_MS), COARSEST_MS);
  const timer = setInterval(() => {
    if (isAtFullWeight(peer, sinceMs, now())) stopSlowStart(peer);
  }, everyMs);
  timers.set(peer, timer.unref());
}

/** It is out again, or gone. Its weight is what is configured. */
export function stopSlowStart(peer: Peer): void {
  const timer = timers.get(peer);
  if (timer === undefined) return;
  clearInterval(timer);
  timers.delete(peer);
  peer.rampedWeight = peer.conf.weight;
}

function isAtFullWeight(peer: Peer, sinceMs: number, now: number): boolean {
  const { weight, slowStartMs } = peer.conf;
  const ramped = slowStartWeight(weight, now - sinceMs, slowStartMs);
  if (peer.weight !== ramped) peer.rampedWeight = ramped;
  return ramped === weight;
}
