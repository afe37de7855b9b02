import { closeSync } from 'node:fs';
import type { ByteRange } from '../../http/byte-range.ts';
import { respondStatus } from '../../http/error-response.ts';
import type { Exchange } from '../../http/exchange.ts';
import { formatHttpTime } from '../../http/http-time.ts';
import { HEADER_ID } from '../../http/known-header.ts';
import { contentTypeOf } from '../../http/mime-type.ts';
import { checkConditions, isRangeFresh } from '../../http/preconditions.ts';
import { filterHead, sendFilteredHead, sendResponseHead } from '../../http/send-response.ts';
import { parseByteRanges } from './byte-ranges.ts';
import { type FilePiece, FileTransfer } from './file-transfer.ts';
import type { OpenedFile } from './open-file.ts';

let lastBoundary = 0;

/** Answers with the file, or what the client's conditions and ranges make of it. Closes the file. */
export function sendFile(ex: Exchange, { fd, stats }: OpenedFile, path: string): void {
  const { response, request, stream, location } = ex;
  if ((request.framing !== 'none' || request.expectContinue) && !stream.discardBody(ex.errorStatus === 0)) {
    closeSync(fd);
    location.errorLog.write('error', ex, 'client sent invalid chunked body');
    respondStatus(ex, 400);
    return;
  }

  // 1. The whole.
  const modifiedSec = Math.floor(stats.mtimeMs / 1000);
  response.status = 200;
  response.contentLength = stats.size;
  response.contentType = contentTypeOf(ex);
  response.lastModified = formatHttpTime(modifiedSec);
  response.lastModifiedSec = modifiedSec;
  if (location.core.etag) {
    response.remove('etag');
    response.add('ETag', `"${modifiedSec.toString(16)}-${stats.size.toString(16)}"`);
  }

  // 2. Conditions.
  const result = checkConditions(ex);
  if (result !== 'send' && response.ownCoding !== '') response.setCoding('');
  if (result === 'failed') {
    closeSync(fd);
    respondStatus(ex, 412);
    return;
  }
  if (result === 'not-modified') {
    closeSync(fd);
    response.status = 304;
    response.contentType = '';
    response.contentLength = -1;
    sendResponseHead(ex);
    stream.endBody(null);
    return;
  }

  // 3. Ranges.
  const ranges = rangesOf(ex, stats.size);
  response.part = null;
  filterHead(ex);
  // What a filter makes something else of goes whole.
  const isWhole = response.contentLength !== stats.size;
  if (ranges === 'unsatisfiable' && !isWhole) {
    closeSync(fd);
    // As in nginx, whose filters had seen a good answer by then.
    response.add('Content-Range', `bytes */${stats.size}`);
    respondStatus(ex, 416);
    return;
  }

  // 4. Out. Parts say the type that the filters have left.
  const pieces = isWhole || ranges === 'unsatisfiable' ? wholeOf(stats.size) : cut(ex, ranges, stats.size);
  sendFilteredHead(ex);
  if (ex.isHeadOnly) {
    closeSync(fd);
    stream.endBody(null);
    return;
  }
  new FileTransfer(fd, path, pieces).start(ex);
}

/** Null: no ranges are to be spoken of at all. */
function rangesOf(ex: Exchange, length: number): readonly ByteRange[] | 'whole' | 'unsatisfiable' | null {
  const { headers, version } = ex.request;
  const { maxRanges } = ex.location.core;
  // As in nginx, no parts of a file that was packed before.
  if (
    version < 10 ||
    maxRanges === 0 ||
    ex.response.ownCoding !== '' ||
    (ex.errorStatus !== 0 && ex.errorStatus !== 200)
  )
    return null;
  const at = headers.find(HEADER_ID.range);
  return at < 0 || !isRangeFresh(ex) ? 'whole' : parseByteRanges(headers.value(at), length, maxRanges);
}

function wholeOf(length: number): readonly FilePiece[] {
  return length === 0 ? [] : [{ start: 0, end: length }];
}

/** Sets what the head says of it behind the filters, and gives the pieces of the body. */
function cut(ex: Exchange, ranges: readonly ByteRange[] | 'whole' | null, length: number): readonly FilePiece[] {
  const { response } = ex;
  const [first, second] = Array.isArray(ranges) ? (ranges as readonly ByteRange[]) : [];
  if (first === undefined || ranges === null || ranges === 'whole') {
    if (ranges !== null)
      response.part = { status: 200, contentLength: length, contentType: '', field: ['Accept-Ranges', 'bytes'] };
    return wholeOf(length);
  }
  if (second === undefined) {
    const { start, end } = first;
    const field = ['Content-Range', `bytes ${start}-${end}/${length}`] as const;
    response.part = { status: 206, contentLength: end + 1 - start, contentType: '', field };
    return [{ start, end: end + 1 }];
  }
  const boundary = String(++lastBoundary).padStart(20, '0');
  const { contentType } = response;
  const typeLine = contentType === '' ? '' : `Content-Type: ${contentType}\r\n`;
  const pieces: FilePiece[] = ranges.flatMap(({ start, end }) => [
    Buffer.from(`\r\n--${boundary}\r\n${typeLine}Content-Range: bytes ${start}-${end}/${length}\r\n\r\n`, 'latin1'),
    { start, end: end + 1 },
  ]);
  pieces.push(Buffer.from(`\r\n--${boundary}--\r\n`, 'latin1'));
  const contentLength = pieces.reduce(
    (sum, piece) => sum + (Buffer.isBuffer(piece) ? piece.length : piece.end - piece.start),
    0,
  );
  response.part = {
    status: 206,
    contentLength,
    contentType: `multipart/byteranges; boundary=${boundary}`,
    field: null,
  };
  return pieces;
}
