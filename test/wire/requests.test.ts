import { describe, expect, it } from 'vitest';
import { Deadlines } from '../../src/core/deadlines.ts';
import { H1Server } from '../../src/h1/h1-server.ts';
import type { Exchange } from '../../src/http/exchange.ts';
import { DONE, type PhaseResult } from '../../src/http/location.ts';
import { sendWhole } from '../../src/http/send-response.ts';
import { Counters } from '../../src/observe/counters.ts';
import { FakeWire } from '../support/fake-wire.ts';
import { plainSite } from '../support/plain-site.ts';
import { shown, wireCases } from '../support/wire-cases.ts';

/** Reads the whole body, records what it saw, answers 200. */
function recorder(events: string[]) {
  return (ex: Exchange): PhaseResult => {
    const { request } = ex;
    events.push(`request ${request.method} ${request.target} ${request.version / 10}`);
    if (request.rawHost !== null) events.push(`host ${request.rawHost}`);
    for (let i = 0; i < request.headers.count; i++) {
      events.push(`field ${request.headers.name(i)}: ${shown(request.headers.value(i))}`);
    }
    if (request.upgrade) events.push('upgrade');
    let body = '';
    const end = () => {
      if (request.framing !== 'none') events.push(`body ${shown(body)}`);
      events.push(request.keepAlive ? 'end' : 'end, close');
      ex.response.status = 200;
      sendWhole(ex, Buffer.alloc(0));
    };
    if (request.framing === 'none') {
      end();
      return DONE;
    }
    ex.stream.readBody(
      {
        onBodyData: (chunk) => {
          body += chunk.toString('latin1');
        },
        onBodyEnd: (trailers) => {
          for (let i = 0; trailers !== null && i < trailers.count; i++) {
            events.push(`trailer ${trailers.name(i)}: ${shown(trailers.value(i))}`);
          }
          end();
        },
        onBodyError: (error) => {
          events.push(`broken body ${error.status} ${error.message}`);
          ex.stream.abort();
        },
      },
      0,
    );
    return DONE;
  };
}

function run(parts: readonly string[]): string[] {
  const events: string[] = [];
  const site = plainSite(recorder(events));
  const server = new H1Server({
    deadlines: new Deadlines(() => 0),
    counters: new Counters(),
    flushLogs: () => undefined,
  });
  const wire = new FakeWire();
  server.accept(wire, () => site.group);
  for (const part of parts) wire.receive(part);
  for (const text of site.log) {
    const status = /^HTTP\/1\.1 (\d+)/.exec(wire.written.slice(wire.written.lastIndexOf('HTTP/1.1 ')))?.[1];
    events.push(status === '200' ? `log ${text}` : `refused ${status} ${text}`);
  }
  if (wire.isEnded && site.log.length === 0) events.push('closed');
  wire.destroy();
  expect(server.connectionCount).toBe(0);
  return events;
}

describe('requests on the wire', () => {
  for (const { file, title, input, events } of wireCases(import.meta.dirname, 'request')) {
    it(`${file}: ${title}`, () => {
      expect(run([input]), 'whole').toEqual(events);
      for (let at = 1; at < input.length; at++) {
        expect(run([input.slice(0, at), input.slice(at)]), `split at ${at}`).toEqual(events);
      }
      expect(run([...input]), 'byte by byte').toEqual(events);
    });
  }
});
