import { describe, expect, it } from 'vitest';
import { Deadlines } from '../../src/core/deadlines.ts';
import { H1UpstreamConnection } from '../../src/h1/upstream-connection.ts';
import { UpstreamRequest, type UpstreamResponseSink } from '../../src/http/upstream-connection.ts';
import { UpstreamResponseHead } from '../../src/http/upstream-response-head.ts';
import { FakeWire } from '../support/fake-wire.ts';
import { shown, wireCases } from '../support/wire-cases.ts';

/** `parameter`: the method asked with, then `fin` when the peer closes behind the bytes. */
function run(parts: readonly string[], parameter: string): string[] {
  const [method = 'GET', ending] = parameter.split(' ');
  const events: string[] = [];
  const wire = new FakeWire();
  let isKept = false;
  const home = {
    keep: () => {
      isKept = true;
      return true;
    },
    lost: () => {
      isKept = false;
      events.push('idle connection lost');
    },
  };
  const connection = new H1UpstreamConnection(wire, home, new Deadlines(() => 0));
  const request = new UpstreamRequest();
  request.method = method;
  request.target = '/';
  let body = '';
  const sink: UpstreamResponseSink = {
    responseHead: new UpstreamResponseHead(),
    onInformational: (head) => events.push(`informational ${head.statusLine}`),
    onResponseHead: (head) => {
      events.push(`response ${head.statusLine} ${head.version / 10}`, `framing ${head.framing}`);
      for (let i = 0; i < head.headers.count; i++) {
        events.push(`field ${head.headers.name(i)}: ${shown(head.headers.value(i))}`);
      }
      if (head.status === 101) {
        connection.openTunnel({
          onTunnelData: (chunk) => {
            body += chunk.toString('latin1');
          },
          onTunnelWritable: () => undefined,
          onTunnelEnd: () => events.push(`tunnel ${shown(body)}`),
        });
      }
    },
    onResponseData: (chunk) => {
      body += chunk.toString('latin1');
    },
    onResponsePause: () => undefined,
    onResponseEnd: (trailers) => {
      events.push(`body ${shown(body)}`);
      for (let i = 0; trailers !== null && i < trailers.count; i++) {
        events.push(`trailer ${trailers.name(i)}: ${shown(trailers.value(i))}`);
      }
    },
    onUpstreamError: (error) => events.push(`${error.code} ${error.message}`),
    onRequestWritable: () => undefined,
  };
  connection.sendRequest(request, null, true, sink);
  for (const part of parts) wire.receive(part);
  if (ending === 'fin') wire.finish();
  if (!wire.isDestroyed) {
    connection.release();
    events.push(isKept ? 'kept' : 'closed');
  }
  return events;
}

describe('responses on the wire', () => {
  for (const { file, title, parameter, input, events } of wireCases(import.meta.dirname, 'response')) {
    it(`${file}: ${title}`, () => {
      expect(run([input], parameter), 'whole').toEqual(events);
      for (let at = 1; at < input.length; at++) {
        expect(run([input.slice(0, at), input.slice(at)], parameter), `split at ${at}`).toEqual(events);
      }
      expect(run([...input], parameter), 'byte by byte').toEqual(events);
    });
  }
});
