import { expect, test } from 'vitest';
import { fakeExchange } from './fake-exchange.ts';
import { groupOf } from './read-upstreams.ts';

test('a peer that is drained gets no new request, and finishes those that it has', () => {
  const group = groupOf('server 127.0.0.1:1; server 127.0.0.1:2;');
  const [first] = group.peers;
  if (first === undefined) throw new Error('no peer');
  const session = group.newSession(fakeExchange());
  expect(group.pick(session, 1)).toBe(first);
  first.isDraining = true;
  for (let i = 0; i < 4; i++) {
    expect(group.pick(group.newSession(fakeExchange()), 2)?.addressText).toBe('127.0.0.1:2');
  }
  expect(first.state(2)).toBe('draining');
  group.release(session, first, 'ok', 3);
  expect(first.active).toBe(0);
});

test('`drain` of a server line', () => {
  const group = groupOf('server 127.0.0.1:1 drain; server 127.0.0.1:2;');
  expect(group.peers.map((peer) => peer.state(1))).toEqual(['draining', 'up']);
  expect(group.pick(group.newSession(fakeExchange()), 1)?.addressText).toBe('127.0.0.1:2');
});
