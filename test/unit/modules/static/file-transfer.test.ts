import { fstatSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Exchange } from '../../../../src/http/exchange.ts';
import { FileTransfer } from '../../../../src/modules/static/file-transfer.ts';
import { compileGroup } from '../../../support/compile-text.ts';
import { fakeExchange } from '../../../support/fake-client-stream.ts';
import { SlowClientStream } from '../../../support/slow-client-stream.ts';
import { tempFolder } from '../../../support/temp-folder.ts';

const group = compileGroup('server { listen 8080; }');
const CONTENT = Array.from({ length: 40_000 }, (_, i) => String(i).padStart(6, '0')).join(' ');

let directory = '';
let path = '';
let fd = -1;
beforeEach(() => {
  directory = tempFolder('transfer');
  path = join(directory, 'file');
  writeFileSync(path, CONTENT);
  fd = openSync(path, 'r');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function begin(roomBytes?: number): { ex: Exchange; stream: SlowClientStream; transfer: FileTransfer } {
  const stream = new SlowClientStream(roomBytes);
  const { ex: other } = fakeExchange({}, group);
  const ex = new Exchange(other.connection, stream, group.defaultServer);
  stream.serve(ex);
  ex.response.status = 200;
  stream.sendHead(ex);
  const transfer = new FileTransfer(fd, path, [{ start: 0, end: CONTENT.length }]);
  return { ex, stream, transfer };
}

const isOpen = () => {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
};

describe('a file on its way', () => {
  test('goes whole to a fast client, and is closed', () => {
    const { ex, stream, transfer } = begin();
    transfer.start(ex);
    expect(stream.end).toBe('ended');
    expect(stream.body).toBe(CONTENT);
    expect(isOpen()).toBe(false);
  });

  test('waits for a slow client with one buffer in memory', () => {
    const { ex, stream, transfer } = begin(1000);
    transfer.start(ex);
    for (let i = 0; i < 10_000 && stream.end === 'open'; i++) {
      expect(stream.pendingBytes).toBeLessThanOrEqual(65_536);
      stream.take(7001);
    }
    stream.take();
    expect(stream.end).toBe('ended');
    expect(stream.body === CONTENT).toBe(true);
    expect(isOpen()).toBe(false);
  });

  test('is closed when the client goes away, and its buffer is not used again', () => {
    const { ex, stream, transfer } = begin(1000);
    transfer.start(ex);
    ex.content?.onClientAborted();
    expect(stream.end).toBe('aborted');
    expect(isOpen()).toBe(false);
    fd = openSync(path, 'r');
    const next = begin();
    next.transfer.start(next.ex);
    stream.take(60_000);
    expect(CONTENT.startsWith(stream.body)).toBe(true);
  });

  test('is cut off when the file becomes shorter', () => {
    const { ex, stream, transfer } = begin(1000);
    transfer.start(ex);
    truncateSync(path, 70_000);
    stream.take();
    expect(stream.end).toBe('aborted');
    expect(stream.body.length).toBe(70_000);
    expect(isOpen()).toBe(false);
  });

  test('is closed by whoever recycles the exchange', () => {
    const { ex, transfer } = begin(1000);
    transfer.start(ex);
    ex.recycle();
    expect(isOpen()).toBe(false);
  });
});
