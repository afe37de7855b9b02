import type { UpstreamRequest } from '../http/upstream-connection.ts';
import { writeBytes, writeCrLf, writeField, writeText } from './byte-writer.ts';

/** Upper bound of the head's size in bytes. */
export function requestHeadBound(request: UpstreamRequest): number {
  let bound = request.method.length + request.target.length + 16;
  for (const text of request.added) bound += text.length + 4;
  const block = request.passed;
  if (block !== null && block.count > 0) {
    bound += (block.offsets[block.count * 4 - 1] as number) - (block.offsets[0] as number) + block.count * 4;
  }
  return bound;
}

/** A request's head in HTTP/1.x (RFC 9112 section 3): ours first, then the client's fields that pass. Returns where it ends. */
export function writeRequestHead(bytes: Buffer, start: number, request: UpstreamRequest): number {
  let at = writeText(bytes, start, request.method);
  bytes[at++] = 0x20;
  at = writeText(bytes, at, request.target);
  at = writeText(bytes, at, request.version === 10 ? ' HTTP/1.0\r\n' : ' HTTP/1.1\r\n');
  const { added } = request;
  for (let i = 0; i < added.length; i += 2) at = writeField(bytes, at, added[i] as string, added[i + 1] as string);
  const block = request.passed;
  if (block !== null) {
    const { offsets, count } = block;
    const source = block.bytes;
    for (let i = 0; i < count; i++) {
      if (request.skip[i] !== 0) continue;
      at = writeBytes(bytes, at, source, offsets[i * 4] as number, offsets[i * 4 + 1] as number);
      bytes[at++] = 0x3a;
      bytes[at++] = 0x20;
      at = writeBytes(bytes, at, source, offsets[i * 4 + 2] as number, offsets[i * 4 + 3] as number);
      at = writeCrLf(bytes, at);
    }
  }
  return writeCrLf(bytes, at);
}
