import type { RequestHead } from './request-head.ts';

/**
 * Makes `to` say what `from` says. Its bytes are shared with `from` and good as long as that is in use, unless `ownsBytes`: then they are
 * copied as well.
 */
export function copyRequestHead(from: RequestHead, to: RequestHead, ownsBytes: boolean): void {
  to.method = from.method;
  to.target = from.target;
  to.version = from.version;
  to.rawHost = from.rawHost;
  to.lineStart = from.lineStart;
  to.lineEnd = from.lineEnd;
  to.framing = from.framing;
  to.contentLength = from.contentLength;
  to.keepAlive = from.keepAlive;
  to.expectContinue = from.expectContinue;
  to.upgrade = from.upgrade;
  to.headBytes = from.headBytes;
  const { headers } = from;
  to.headers.reset(ownsBytes ? Buffer.from(headers.bytes.subarray(0, endOf(from))) : headers.bytes);
  for (let i = 0; i < headers.count; i++) {
    const at = i * 4;
    const { offsets } = headers;
    to.headers.add(
      offsets[at] as number,
      offsets[at + 1] as number,
      offsets[at + 2] as number,
      offsets[at + 3] as number,
      headers.ids[i] as number,
    );
  }
}

/** Where the last of its bytes lies. */
function endOf({ headers, lineEnd }: RequestHead): number {
  let end = lineEnd;
  for (let i = 0; i < headers.count; i++) end = Math.max(end, headers.offsets[i * 4 + 3] as number);
  return end;
}
