import { expect, test } from 'vitest';
import { statusDocument } from '../../../src/modules/status/status-document.ts';
import { stubStatusText } from '../../../src/modules/status/stub-status.ts';
import type { PeerReport } from '../../../src/modules/status/upstream-report.ts';

const PEER: PeerReport = {
  name: 'a:80',
  address: '10.0.0.1:80',
  isBackup: false,
  weight: 1,
  state: 'up',
  active: 1,
  requests: 4,
  responses: [0, 0, 3, 0, 0, 0],
  fails: 1,
  unavailable: 0,
  lastFailureAtMs: 0,
  lastFailure: '',
  bytesSent: 100,
  bytesReceived: 200,
  headerTimeSumMs: 30,
  responseTimeSumMs: 60,
};

test('peers of several workers are one peer: sums, the worst state, the latest failure, means over all answers', () => {
  const other: PeerReport = {
    ...PEER,
    state: 'unavail',
    responses: [0, 0, 0, 0, 0, 1],
    lastFailureAtMs: Date.UTC(2026, 0, 31),
    lastFailure: 'connect() failed',
    headerTimeSumMs: 10,
    responseTimeSumMs: 20,
  };
  const document = statusDocument({
    counters: [9, 9, 20, 3, 0, 1, 2],
    workers: [
      { pid: 12, counters: [], upstreams: [{ name: 'b\xc3\xa9', peers: [PEER] }] },
      { pid: 11, counters: [], upstreams: [{ name: 'b\xc3\xa9', peers: [other] }] },
    ],
  });
  expect(document).toMatchObject({
    workers: [11, 12],
    connections: { accepted: 9, handled: 9, active: 3, reading: 0, writing: 1, waiting: 2 },
    requests: 20,
    upstreams: {
      bé: {
        peers: [
          {
            address: '10.0.0.1:80',
            state: 'unavail',
            active: 2,
            requests: 8,
            responses: { '1xx': 0, '2xx': 3, '3xx': 0, '4xx': 0, '5xx': 1 },
            fails: 2,
            last_failure: { at: '2026-01-31T00:00:00.000Z', text: 'connect() failed' },
            bytes_sent: 200,
            header_time_ms: 10,
            response_time_ms: 20,
          },
        ],
      },
    },
  });
});

test("stub_status is nginx's text, blanks at the ends of lines included", () => {
  expect(stubStatusText({ counters: [3, 2, 5, 1, 0, 1, 0] })).toBe(
    'Active connections: 1 \nserver accepts handled requests\n 3 2 5 \nReading: 0 Writing: 1 Waiting: 0 \n',
  );
});

test('a panic, a queue and a retry budget show where they are in force', () => {
  const of = (isOn: boolean, count: number) => ({
    name: 'u',
    panic: { isOn, count },
    queue: { size: 2, overflows: 1 },
    retriesRefused: 3,
    peers: [PEER],
  });
  const document = statusDocument({
    counters: [],
    workers: [
      { pid: 1, counters: [], upstreams: [of(false, 4)] },
      { pid: 2, counters: [], upstreams: [of(true, 1), { name: 'plain', peers: [PEER] }] },
    ],
  });
  expect(document.upstreams['u']).toMatchObject({
    panic: { on: true, count: 4 },
    queue: { size: 4, overflows: 2 },
    retries_refused: 6,
  });
  expect(Object.keys(document.upstreams['plain'] ?? {})).toEqual(['peers']);
});
