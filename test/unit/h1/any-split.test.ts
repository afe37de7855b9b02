import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Deadlines } from '../../../src/core/deadlines.ts';
import { CHUNK_ERROR, ChunkedDecoder } from '../../../src/h1/chunked-decoder.ts';
import { H1Server } from '../../../src/h1/h1-server.ts';
import { H1UpstreamConnection } from '../../../src/h1/upstream-connection.ts';
import type { Exchange } from '../../../src/http/exchange.ts';
import { DONE, type PhaseResult } from '../../../src/http/location.ts';
import { sendWhole } from '../../../src/http/send-response.ts';
import { UpstreamRequest } from '../../../src/http/upstream-connection.ts';
import { UpstreamResponseHead } from '../../../src/http/upstream-response-head.ts';
import { Counters } from '../../../src/observe/counters.ts';
import { FakeWire } from '../../support/fake-wire.ts';
import { plainSite } from '../../support/plain-site.ts';

/** Pieces that requests and responses are made of, whole and broken, and bytes at random between them. */
const piece = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      'GET / HTTP/1.1\r\n',
      'POST /a?b HTTP/1.1\r\n',
      'GET / HTTP/1.0\r\n',
      'GET http://b/ HTTP/1.1\r\n',
      'GET /\r\n',
      'HTTP/1.1 200 OK\r\n',
      'HTTP/1.1 103 Early Hints\r\n',
      'HTTP/1.0 304 \r\n',
      'HTTP/1.1 204\n',
      'Host: a\r\n',
      'Host: b\n',
      'Content-Length: 3\r\n',
      'Content-Length: 0\r\n',
      'Content-Length: 10\r\n',
      'Transfer-Encoding: chunked\r\n',
      'Transfer-Encoding: gzip\r\n',
      'Connection: close\r\n',
      'Connection: keep-alive\r\n',
      'X: y\r\n',
      'X : y\r\n',
      ' folded\r\n',
      '\r\n',
      '\n',
      '3\r\nabc\r\n',
      '0\r\n\r\n',
      'a;x=y\r\n0123456789\r\n',
      'abc',
      'Expect: 100-continue\r\n',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.string({
      unit: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)),
      maxLength: 6,
    }),
  },
);
const stream = fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join(''));
/** Where to cut, as shares of the length. */
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 });

function partsOf(text: string, shares: readonly number[]): string[] {
  const places = [...new Set(shares.map((share) => Math.floor(share * text.length)))].sort((a, b) => a - b);
  return [0, ...places].map((from, i) => text.slice(from, places[i] ?? text.length));
}

/** Requests as a handler sees them, and how the connection ended. */
function asServer(parts: readonly string[]): unknown {
  const seen: string[] = [];
  const site = plainSite((ex: Exchange): PhaseResult => {
    const { request } = ex;
    let fields = '';
    for (let i = 0; i < request.headers.count; i++) fields += `${request.headers.name(i)}=${request.headers.value(i)};`;
    const index = seen.push('') - 1;
    let body = '';
    const note = (end: string) => {
      seen[index] =
        `${request.method} ${request.target} ${request.version} ${fields} ${request.framing} [${body}] ${end}`;
    };
    note('waiting');
    ex.stream.readBody(
      {
        onBodyData: (chunk) => {
          body += chunk.toString('latin1');
          note('reading');
        },
        onBodyEnd: () => {
          note('end');
          ex.response.status = 200;
          sendWhole(ex, Buffer.alloc(0));
        },
        onBodyError: (error) => {
          // How much of a body arrives before its error depends on where it was cut.
          body = '';
          note(error.code);
          ex.stream.abort();
        },
      },
      0,
    );
    return DONE;
  });
  const server = new H1Server({
    deadlines: new Deadlines(() => 0),
    counters: new Counters(),
    flushLogs: () => undefined,
  });
  const wire = new FakeWire();
  server.accept(wire, () => site.group);
  for (const part of parts) wire.receive(part);
  // Whether a request counts as pipelined depends on where the bytes were cut.
  const log = site.log.map((text) => text.replace('pipelined ', ''));
  const result = { seen, log, ended: [...site.ended], isOpen: !wire.isEnded };
  wire.destroy();
  expect(server.connectionCount).toBe(0);
  expect([...server.counters.values].slice(3)).toEqual([0, 0, 0, 0]);
  return result;
}

/** A response as a sink sees it. */
function asPeer(parts: readonly string[]): unknown {
  const wire = new FakeWire();
  let kept = false;
  const home = {
    keep: () => {
      kept = true;
      return true;
    },
    lost: () => {
      kept = false;
    },
  };
  const connection = new H1UpstreamConnection(wire, home, new Deadlines(() => 0));
  const seen: string[] = [];
  let body = '';
  const request = new UpstreamRequest();
  request.method = 'GET';
  request.target = '/';
  connection.sendRequest(request, null, true, {
    responseHead: new UpstreamResponseHead(),
    onInformational: (head) => seen.push(head.statusLine),
    onResponseHead: (head) => seen.push(`${head.statusLine} ${head.framing} ${head.headers.count}`),
    onResponseData: (chunk) => {
      body += chunk.toString('latin1');
    },
    onResponsePause: () => undefined,
    onResponseEnd: () => seen.push('end'),
    onUpstreamError: (error) => {
      if (error.code === 'invalid-response') body = '';
      seen.push(error.message);
    },
    onRequestWritable: () => undefined,
  });
  for (const part of parts) wire.receive(part);
  connection.release();
  return { seen, body, kept };
}

function decoded(parts: readonly string[]): unknown {
  const decoder = new ChunkedDecoder();
  let body = '';
  let rest = '';
  for (const part of parts) {
    const bytes = Buffer.from(part, 'latin1');
    const stop = decoder.decode(bytes, 0, bytes.length, (view) => {
      body += view.toString('latin1');
      return true;
    });
    if (stop === CHUNK_ERROR) return 'refused';
    rest += part.slice(stop);
  }
  return { body, rest, isDone: decoder.isDone };
}

describe('any split of any input gives the same events', () => {
  it.each([
    ['requests', asServer],
    ['responses', asPeer],
    ['chunks', decoded],
  ])('%s', (_name, run) => {
    fc.assert(
      fc.property(stream, cuts, (text, shares) => {
        const whole = run([text]);
        expect(run(partsOf(text, shares))).toEqual(whole);
        expect(run([...text])).toEqual(whole);
      }),
      { numRuns: 1500 },
    );
  });
});
