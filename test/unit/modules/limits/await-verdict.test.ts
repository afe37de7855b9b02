import { describe, expect, test } from 'vitest';
import type { ContentState, Exchange } from '../../../../src/http/exchange.ts';
import { DONE, NEXT, PENDING, type PhaseHandler } from '../../../../src/http/location.ts';
import { beginExchange } from '../../../../src/http/phases.ts';
import { sendText } from '../../../../src/http/send-text.ts';
import { awaitVerdict } from '../../../../src/modules/limit-zone/await-verdict.ts';
import { fakeExchange } from '../../../support/fake-client-stream.ts';
import { plainSite } from '../../../support/plain-site.ts';

/** A request whose verdict comes when the test says so; behind it stands `content`. */
function asked(content: PhaseHandler, atOnce: string | null = null) {
  let tell: (verdict: string) => void = () => undefined;
  const site = plainSite((ex) =>
    awaitVerdict<string>(
      ex,
      (done) => {
        tell = done;
        return atOnce;
      },
      (verdict) => {
        if (verdict === 'passed') return NEXT;
        sendText(ex, 503, null, verdict);
        return DONE;
      },
    ),
  );
  site.group.defaultServer.defaultLocation.handlers.push(content);
  const { ex, stream } = fakeExchange({}, site.group);
  beginExchange(ex, site.group);
  return { ex, stream, tell: (verdict: string) => tell(verdict) };
}

const answering: PhaseHandler = (ex) => {
  sendText(ex, 200, null, 'content');
  return DONE;
};

/** A content handler that takes its time; what it was told. */
function slow(told: string[]): PhaseHandler {
  return (ex: Exchange) => {
    const state: ContentState = {
      onClientAborted: () => told.push('aborted'),
      onWritable: () => undefined,
    };
    ex.content = state;
    told.push('began');
    return PENDING;
  };
}

describe('a verdict', () => {
  test('that is there at once holds at once', () => {
    expect(asked(answering, 'passed').stream.body).toBe('content');
    expect(asked(answering, 'too many').stream.body).toBe('too many');
  });

  test('that comes later: nothing happens before', () => {
    for (const [verdict, body] of [
      ['passed', 'content'],
      ['too many', 'too many'],
    ] as const) {
      const { stream, tell } = asked(answering);
      expect([stream.head, stream.isEnded]).toEqual([null, false]);
      tell(verdict);
      expect([stream.body, stream.isEnded]).toEqual([body, true]);
    }
  });

  test('a client that went away meanwhile: whoever comes after is told, once', () => {
    const told: string[] = [];
    const { ex, tell } = asked(slow(told));
    ex.content?.onClientAborted();
    expect(told).toEqual([]);
    tell('passed');
    expect(told).toEqual(['began', 'aborted']);
  });

  test('a client that ended its side meanwhile still gets what can be said at once', () => {
    const { ex, stream, tell } = asked(answering);
    ex.content?.onClientAborted();
    tell('passed');
    expect(stream.body).toBe('content');
  });
});

test('what a request holds goes back when it is over, once', () => {
  const { ex } = asked(slow([]), 'passed');
  let count = 0;
  ex.held.push({ recycle: () => count++ });
  ex.recycle();
  ex.recycle();
  ex.reset(ex.server);
  expect(count).toBe(1);
});
