import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ProxyError } from '../../../src/core/errors.ts';
import { type BodySettings, RequestBody } from '../../../src/http/request-body.ts';
import { SlowClientStream } from '../../support/slow-client-stream.ts';
import { tempFolder } from '../../support/temp-folder.ts';

let directory = '';
beforeEach(() => {
  directory = tempFolder('body');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function read(chunks: string[], lengthBytes: number, settings: Partial<BodySettings> = {}) {
  const seen = { ready: 0, files: [] as string[], errors: [] as Error[] };
  const body = new RequestBody({
    onBodyReady: () => {
      seen.ready++;
    },
    onBodyTempFile: (name) => seen.files.push(name),
    onBodyFailed: (error) => seen.errors.push(error),
  });
  const stream = new SlowClientStream();
  const tempPath = { directory, levels: [1, 2] };
  body.read(stream, { bufferBytes: 10, maxBytes: 0, tempPath, inFileOnly: 'off', ...settings }, lengthBytes);
  for (const chunk of chunks) {
    // The stream's buffer is used again for the next chunk.
    const view = Buffer.from(chunk);
    stream.bodySink?.onBodyData(view);
    view.fill(0x21);
  }
  return { body, stream, seen };
}

function sent(body: RequestBody): string {
  let text = '';
  for (let piece = body.next(); piece !== null; piece = body.next()) text += Buffer.from(piece).toString('latin1');
  return text;
}

const cases = [
  { name: 'known length, fits', chunks: ['0123', '4567'], length: 8, files: 0 },
  { name: 'known length, exactly the buffer', chunks: ['0123456789'], length: 10, files: 0 },
  { name: 'known length, too large', chunks: ['0123456789', 'abc'], length: 13, files: 1 },
  { name: 'chunked, fits', chunks: ['0', '12', '345'], length: -1, files: 0 },
  { name: 'chunked, grows beyond the buffer', chunks: ['0123', '456789', 'a'], length: -1, files: 1 },
  { name: 'empty', chunks: [], length: -1, files: 0 },
] as const;

describe('a body read whole', () => {
  for (const { name, chunks, length, files } of cases) {
    test(name, () => {
      const { body, stream, seen } = read([...chunks], length);
      stream.bodySink?.onBodyEnd(null);
      const text = chunks.join('');
      expect(seen.ready).toBe(1);
      expect(seen.files).toHaveLength(files);
      expect(body.sizeBytes).toBe(text.length);
      expect(sent(body)).toBe(text);
      expect(body.isSent).toBe(true);
      body.rewind();
      expect(sent(body)).toBe(text);
      expect(body.text).toBe(files === 0 && text !== '' ? text : null);
      body.close();
    });
  }

  test('its file has no name from the start', () => {
    const { stream, seen } = read(['0123456789', 'abc'], 13);
    expect(existsSync(seen.files[0] ?? '')).toBe(false);
    stream.bodySink?.onBodyEnd(null);
    expect(seen.files[0]).toMatch(/\/\d\/\d\d\/\d{10}$/);
  });

  test('client_body_in_file_only clean: there while it is used, then gone', () => {
    const { body, stream } = read(['abc'], 3, { inFileOnly: 'clean' });
    stream.bodySink?.onBodyEnd(null);
    expect(readFileSync(body.fileName, 'latin1')).toBe('abc');
    const { fileName } = body;
    body.close();
    expect(existsSync(fileName)).toBe(false);
  });

  test('client_body_in_file_only on: stays', () => {
    const { body, stream } = read(['abc'], 3, { inFileOnly: 'on' });
    stream.bodySink?.onBodyEnd(null);
    const { fileName } = body;
    body.close();
    expect(readFileSync(fileName, 'latin1')).toBe('abc');
  });
});

describe('a body that fails', () => {
  test('the stream’s error is passed on once, what was read is gone', () => {
    const { body, stream, seen } = read(['0123456789', 'abc'], 20);
    const sink = stream.bodySink;
    sink?.onBodyError(
      new ProxyError('client-aborted', 'client prematurely closed connection', { side: 'client', status: 400 }),
    );
    sink?.onBodyData(Buffer.from('more'));
    sink?.onBodyEnd(null);
    expect(seen.errors).toHaveLength(1);
    expect(seen.ready).toBe(0);
    expect(body.sizeBytes).toBe(0);
  });

  test('a directory that cannot be made', () => {
    const { seen } = read([], 20, { tempPath: { directory: '/dev/null/x', levels: [] } });
    expect(seen.errors).toHaveLength(1);
    expect(readdirSync(directory)).toEqual([]);
  });
});
