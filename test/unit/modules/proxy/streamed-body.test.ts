import { describe, expect, test } from 'vitest';
import type { BodySink, ClientStream } from '../../../../src/http/client-stream.ts';
import type {
  UpstreamConnection,
  UpstreamRequest,
  UpstreamResponseSink,
} from '../../../../src/http/upstream-connection.ts';
import { StreamedBody } from '../../../../src/modules/proxy/streamed-body.ts';

const REQUEST = {} as UpstreamRequest;
const RESPONSE = {} as UpstreamResponseSink;

/** A streamed body between a client and a peer that write down what is asked of them. */
class Stage {
  readonly calls: string[] = [];
  peerHasRoom = true;
  client: BodySink | null = null;
  readonly body = new StreamedBody({
    onBodyReady: () => this.calls.push('ready'),
    onBodyFailed: () => this.calls.push('failed'),
  });
  readonly peer = {
    sendRequest: (_request: UpstreamRequest, bytes: Uint8Array | null, isLast: boolean) =>
      this.#sent('head', bytes, isLast),
    sendBody: (bytes: Uint8Array, isLast: boolean) => this.#sent('body', bytes, isLast),
  } as unknown as UpstreamConnection;

  begin(...early: string[]): void {
    const stream = {
      readBody: (sink: BodySink) => {
        this.client = sink;
        for (const chunk of early) this.send(chunk);
      },
      pauseBody: () => this.calls.push('pause'),
      resumeBody: () => this.calls.push('resume'),
      discardBody: () => this.calls.push('discard'),
    } as unknown as ClientStream;
    this.body.begin(stream, 0, 1000);
  }

  send(chunk: string): void {
    if (chunk === '') this.client?.onBodyEnd(null);
    else this.client?.onBodyData(Buffer.from(chunk));
  }

  #sent(what: string, bytes: Uint8Array | null, isLast: boolean): boolean {
    this.calls.push(`${what} ${bytes === null ? '-' : Buffer.from(bytes).toString()}${isLast ? ' end' : ''}`);
    return this.peerHasRoom;
  }
}

async function nextTurn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('a body that is passed on as it comes', () => {
  test('what comes in one turn goes on in one piece, with the end', async () => {
    const stage = new Stage();
    stage.begin();
    stage.body.send(stage.peer, REQUEST, RESPONSE);
    await nextTurn();
    for (const chunk of ['a', 'b', 'c']) stage.send(chunk);
    await nextTurn();
    for (const chunk of ['d', 'e', '']) stage.send(chunk);
    await nextTurn();
    expect(stage.calls).toEqual(['head -', 'ready', 'body abc', 'body de end']);
  });

  test('a peer without room stops the client until it has some', async () => {
    const stage = new Stage();
    stage.begin();
    stage.body.send(stage.peer, REQUEST, RESPONSE);
    await nextTurn();
    stage.peerHasRoom = false;
    stage.send('a');
    await nextTurn();
    stage.body.onWritable();
    expect(stage.calls.slice(2)).toEqual(['body a', 'pause', 'resume']);
  });

  test('nothing of it is sent behind a stop', async () => {
    const stage = new Stage();
    stage.begin();
    stage.body.send(stage.peer, REQUEST, RESPONSE);
    await nextTurn();
    stage.send('a');
    stage.body.stop();
    await nextTurn();
    expect(stage.calls.slice(2)).toEqual(['discard']);
  });

  test('has a text where all of it came with the head', () => {
    const whole = new Stage();
    whole.begin('ab', 'c', '');
    expect(whole.body.text).toBe('abc');
    const partly = new Stage();
    partly.begin('ab');
    expect(partly.body.text).toBeNull();
  });
});
