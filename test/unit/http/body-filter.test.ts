import { describe, expect, test } from 'vitest';
import {
  addBodyFilter,
  type BodyFilter,
  type BodyFilterLink,
  changesLength,
  weakenEtag,
} from '../../../src/http/body-filter.ts';
import { Exchange } from '../../../src/http/exchange.ts';
import { type HeaderFilter, Location } from '../../../src/http/location.ts';
import { sendResponseHead, sendWhole } from '../../../src/http/send-response.ts';
import { compileGroup } from '../../support/compile-text.ts';
import { fakeExchange } from '../../support/fake-client-stream.ts';
import { SlowClientStream } from '../../support/slow-client-stream.ts';

const group = compileGroup('server { listen 8080; }');

/** An exchange in a location with these header filters. */
function begin(filters: readonly HeaderFilter[], roomBytes?: number, method = 'GET') {
  const stream = new SlowClientStream(roomBytes);
  const { ex: other } = fakeExchange({ method }, group);
  const ex = new Exchange(other.connection, stream, group.defaultServer);
  ex.request.method = method;
  stream.serve(ex);
  const { core, errorLog } = group.defaultServer.defaultLocation;
  const lines: string[] = [];
  ex.location = new Location('/', core, { ...errorLog, write: (level, _, text) => lines.push(`${level}: ${text}`) });
  ex.location.headerFilters.push(...filters);
  ex.response.status = 200;
  return { ex, stream, lines };
}

/** The example of src/modules/README.md: every byte twice. */
const doubling: HeaderFilter = (ex) => {
  changesLength(ex);
  addBodyFilter(ex, (link) => ({
    sendBody: (chunk) => link.sendBody(Buffer.from([...chunk].flatMap((byte) => [byte, byte]))),
    flush: () => link.flush(),
    endBody: (trailers) => link.endBody(trailers),
    onWritable: () => link.resume(),
    close: () => undefined,
  }));
};

/** Works elsewhere: takes one chunk at a time and goes on when the test says `work`. */
class SlowFilter implements BodyFilter {
  readonly calls: string[] = [];
  readonly #link: BodyFilterLink;
  #chunk: Uint8Array | null = null;
  #isBlocked = false;

  constructor(link: BodyFilterLink) {
    this.#link = link;
  }

  sendBody(chunk: Uint8Array): boolean {
    if (this.#chunk !== null) throw new Error('a chunk too many');
    this.#chunk = chunk;
    return false;
  }

  work(): void {
    const chunk = this.#chunk as Uint8Array;
    this.#chunk = null;
    this.#isBlocked = !this.#link.sendBody(Buffer.from(`<${Buffer.from(chunk).toString('latin1')}>`));
    if (!this.#isBlocked) this.#link.resume();
  }

  fail(): void {
    this.#link.fail('it broke');
  }

  flush(): boolean {
    this.calls.push('flush');
    return this.#chunk === null && this.#link.flush();
  }

  endBody(): void {
    this.calls.push('end');
    this.#link.endBody(null);
  }

  onWritable(): void {
    this.calls.push('writable');
    if (this.#isBlocked) this.#link.resume();
    this.#isBlocked = false;
  }

  close(): void {
    this.calls.push('close');
  }
}

function slowly(): { filter: HeaderFilter; made: SlowFilter[] } {
  const made: SlowFilter[] = [];
  const filter: HeaderFilter = (ex) =>
    addBodyFilter(ex, (link) => {
      const one = new SlowFilter(link);
      made.push(one);
      return one;
    });
  return { filter, made };
}

describe('a body filter', () => {
  test('changes what is sent, and the stream is itself again afterwards', () => {
    const { ex, stream } = begin([doubling]);
    sendWhole(ex, Buffer.from('abc'));
    expect(stream.body).toBe('aabbcc');
    expect(stream.end).toBe('ended');
    expect(ex.response.contentLength).toBe(-1);
    expect(ex.stream).toBe(stream);
    expect(ex.filtered).toBeNull();
  });

  test('stands behind those added before it', () => {
    const tag: HeaderFilter = (ex) =>
      addBodyFilter(ex, (link) => ({
        sendBody: (chunk) => link.sendBody(chunk),
        flush: () => link.flush(),
        endBody: (trailers) => {
          link.sendBody(Buffer.from('-'));
          link.endBody(trailers);
        },
        onWritable: () => link.resume(),
        close: () => undefined,
      }));
    const { ex, stream } = begin([doubling, tag, doubling]);
    sendWhole(ex, Buffer.from('ab'));
    expect(stream.body).toBe('aaaabbbb--');
  });

  test('is not made where no body follows', () => {
    const { filter, made } = slowly();
    const { ex, stream } = begin([filter], undefined, 'HEAD');
    sendWhole(ex, Buffer.from('abc'));
    expect(made).toHaveLength(0);
    expect(stream.end).toBe('ended');
  });

  test('takes ranges and the length away, and makes the tag a weak one', () => {
    const { ex } = begin([doubling, weakenEtag]);
    ex.response.add('ETag', '"1"');
    ex.response.add('accept-ranges', 'bytes');
    ex.response.part = { status: 206, contentLength: 1, contentType: '', field: null };
    sendWhole(ex, Buffer.from('ab'));
    expect(ex.response.status).toBe(200);
    expect(ex.response.part).toBeNull();
    expect(ex.response.added).toEqual(['ETag', 'W/"1"']);
  });

  test('limit_rate counts what it has made', () => {
    const { ex, stream } = begin([doubling]);
    ex.limitRateBytes = 10;
    sendWhole(ex, Buffer.from('abcdefgh'));
    expect(stream.body).toBe('aabbccddee');
    expect(stream.end).toBe('open');
    ex.stream.abort();
  });

  test('holds back who fills it until it has worked and the client has taken', () => {
    const { filter, made } = slowly();
    const { ex, stream } = begin([filter], 3);
    let writable = 0;
    ex.content = { onWritable: () => writable++, onClientAborted: () => undefined };
    sendResponseHead(ex);
    const [slow] = made as [SlowFilter];
    expect(ex.stream.sendBody(Buffer.from('abc'))).toBe(false);
    slow.work();
    expect(writable).toBe(0);
    stream.take();
    expect(writable).toBe(1);
    expect(ex.stream.flush()).toBe(true);
    ex.stream.sendBody(Buffer.from('d'));
    slow.work();
    expect(writable).toBe(2);
    ex.stream.endBody(null);
    expect(stream.body).toBe('<abc><d>');
    expect(slow.calls).toEqual(['writable', 'flush', 'end', 'close']);
  });

  test('does nothing any more when the client has left', () => {
    const { filter, made } = slowly();
    const { ex, stream } = begin([filter]);
    ex.content = { onWritable: () => expect.unreachable(), onClientAborted: () => ex.stream.abort() };
    sendResponseHead(ex);
    const [slow] = made as [SlowFilter];
    ex.stream.sendBody(Buffer.from('abc'));
    ex.content.onClientAborted();
    expect(stream.end).toBe('aborted');
    expect(slow.calls).toEqual(['close']);
    slow.work();
    expect(stream.body).toBe('');
    expect(ex.stream).toBe(stream);
  });

  test('that fails ends the response and stops who fills it', () => {
    const { filter, made } = slowly();
    const { ex, stream } = begin([doubling, filter]);
    const reasons: (string | undefined)[] = [];
    ex.content = {
      onWritable: () => undefined,
      onClientAborted: (reason) => {
        reasons.push(reason);
        ex.content = null;
        ex.stream.abort();
      },
    };
    sendResponseHead(ex);
    made[0]?.fail();
    expect(stream.end).toBe('aborted');
    expect(reasons).toEqual(['it broke while sending to client']);
    expect(made[0]?.calls).toEqual(['close']);
  });

  test('that fails waits for a handler that goes on without its client', () => {
    const { filter, made } = slowly();
    const { ex, stream } = begin([filter]);
    ex.content = { onWritable: () => undefined, onClientAborted: () => undefined };
    sendResponseHead(ex);
    made[0]?.fail();
    expect(stream.end).toBe('open');
    expect(ex.stream.sendBody(Buffer.from('abc'))).toBe(true);
    ex.stream.endBody(null);
    expect(stream.end).toBe('aborted');
    expect(stream.body).toBe('');
  });
});
