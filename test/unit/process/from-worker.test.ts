import { describe, expect, test } from 'vitest';
import { COUNTER_COUNT } from '../../../src/observe/counters.ts';
import { isFromWorker } from '../../../src/process/from-worker.ts';

const counters = Array.from({ length: COUNTER_COUNT }, () => 1);
const peer = {
  name: 'a',
  address: '127.0.0.1:1',
  isBackup: false,
  weight: 1,
  state: 'up',
  active: 0,
  requests: 1,
  responses: [0, 0, 1],
  fails: 0,
  unavailable: 0,
  lastFailureAtMs: 0,
  lastFailure: '',
  bytesSent: 1,
  bytesReceived: 1,
  headerTimeSumMs: 0.5,
  responseTimeSumMs: 0.5,
};
const answer = (stats: object) => ({
  type: 'stats-answer',
  query: 1,
  stats: { pid: 1, counters, upstreams: null, ...stats },
});

describe('a message of a worker', () => {
  for (const message of [
    { type: 'up' },
    { type: 'session', payload: { kind: 'session-found?', zone: 'S', query: 1, id: 'ab' } },
    { type: 'session', payload: { kind: 'session-made', zone: 'S', id: 'ab', session: 'AAAA', lifeMs: 1 } },
    { type: 'prepared', generation: 1 },
    { type: 'refused', generation: 1, findings: ['no'] },
    { type: 'swapped', generation: 1 },
    { type: 'swap-failed', generation: 1, text: 'no' },
    { type: 'socket-wanted', key: '0.0.0.0:80' },
    { type: 'connection-numbers-wanted' },
    { type: 'stats-request', query: 1, isFull: true },
    answer({}),
    answer({ upstreams: [{ name: 'u', peers: [peer] }] }),
    answer({
      upstreams: [
        {
          name: 'u',
          panic: { isOn: true, count: 1 },
          queue: { size: 1, overflows: 0 },
          retriesRefused: 3,
          peers: [peer],
        },
      ],
    }),
    { type: 'zone', payload: { kind: 'zone-panic', upstream: 'u', isOn: true, text: 'panic' } },
    { type: 'counters', counters },
    {
      type: 'zone',
      payload: { kind: 'zone-open', peers: [{ id: 'a', weight: 1, maxFails: 1, failTimeoutMs: 1, maxConns: 0 }] },
    },
    {
      type: 'zone',
      payload: {
        kind: 'zone-report',
        counts: [{ id: 'a', active: 1, picks: 1 }],
        events: [{ id: 'a', what: 'failed', atMs: 1 }],
        slots: [{ id: 'a', wants: 1, returned: 0, isAnswer: false }],
      },
    },
  ]) {
    test(JSON.stringify(message).slice(0, 60), () => expect(isFromWorker(message)).toBe(true));
  }
});

describe('nonsense, which must not get as far as the primary', () => {
  for (const message of [
    null,
    7,
    'up',
    [],
    {},
    { type: 'constructor' },
    { type: '__proto__' },
    { type: 'prepared' },
    { type: 'refused', generation: 1 },
    { type: 'refused', generation: 1, findings: [null] },
    { type: 'counters', counters: null },
    { type: 'counters', counters: ['1', '2', '3', '4', '5', '6', '7'] },
    { type: 'counters', counters: [1] },
    { type: 'counters', counters: [null, 1, 1, 1, 1, 1, 1] },
    { type: 'stats-request', query: 'x', isFull: true },
    { type: 'stats-answer', query: 1 },
    answer({ counters: {} }),
    answer({ upstreams: [null] }),
    answer({ upstreams: [{ name: 'u', peers: [null] }] }),
    answer({ upstreams: [{ name: 'u', panic: null, peers: [peer] }] }),
    answer({ upstreams: [{ name: 'u', queue: { size: 'x', overflows: 0 }, peers: [peer] }] }),
    answer({ upstreams: [{ name: 'u', retriesRefused: null, peers: [peer] }] }),
    { type: 'zone', payload: { kind: 'zone-panic', upstream: 'u', isOn: 1, text: 'panic' } },
    answer({ upstreams: [{ name: 'u', peers: [{ ...peer, lastFailureAtMs: 1e300 }] }] }),
    answer({ upstreams: [{ name: 'u', peers: [{ ...peer, state: 'odd' }] }] }),
    answer({ upstreams: [{ name: 'u', peers: [{ ...peer, responses: 'x' }] }] }),
    { type: 'session' },
    { type: 'session', payload: { kind: 'session-made', zone: 'S', id: 'ab', session: 7, lifeMs: 1 } },
    { type: 'session', payload: { kind: 'session-found?', zone: 'S', query: '1', id: 'ab' } },
    { type: 'zone' },
    { type: 'zone', payload: { kind: 'zone-open' } },
    { type: 'zone', payload: { kind: 'zone-open', peers: [{}] } },
    {
      type: 'zone',
      payload: { kind: 'zone-report', counts: [], events: [{ id: 'a', what: 'no', atMs: 1 }], slots: [] },
    },
    { type: 'zone', payload: { kind: 'zone-report', counts: [], events: [], slots: [{ id: 'a', wants: '1' }] } },
    {
      type: 'zone',
      payload: { kind: 'zone-report', counts: [{ id: 'a', active: null, picks: 1 }], events: [], slots: [] },
    },
  ]) {
    test(JSON.stringify(message).slice(0, 90), () => expect(isFromWorker(message)).toBe(false));
  }
});
