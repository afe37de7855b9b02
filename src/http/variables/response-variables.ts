import type { Exchange } from '../exchange.ts';
import { lowerCase } from '../host-name.ts';
import type { VariableDef, VariableGetter } from '../variable.ts';

const NO_CONTENT = 204;
const NOT_MODIFIED = 304;
const SWITCHING_PROTOCOLS = 101;
const HTTP_0_9 = 9;
const HTTP_1_1 = 11;

/** At least three digits: `009` for an HTTP/0.9 request without a response, `000` before there is one. */
function status({ response, request, errorStatus }: Exchange): string {
  const number =
    errorStatus > 0 ? errorStatus : response.status > 0 ? response.status : request.version === HTTP_0_9 ? HTTP_0_9 : 0;
  return String(number).padStart(3, '0');
}

function orNull(text: string): string | null {
  return text === '' ? null : text;
}

function contentLength({ response }: Exchange): string | null {
  return response.contentLength < 0 ? null : String(response.contentLength);
}

/** nginx forgets that the connection stays open just before it logs: its access log knows only `close`. */
function staysOpen(ex: Exchange): boolean {
  return ex.keepAlive && !ex.isLogged;
}

function connection(ex: Exchange): string | null {
  if (ex.response.status === 0) return null;
  if (ex.response.status === SWITCHING_PROTOCOLS) return 'upgrade';
  return staysOpen(ex) ? 'keep-alive' : 'close';
}

function keepAlive(ex: Exchange): string | null {
  const seconds = ex.location.core.keepaliveHeaderSec;
  return staysOpen(ex) && seconds > 0 ? `timeout=${seconds}` : null;
}

function transferEncoding(ex: Exchange): string | null {
  const { status: code, contentLength: length } = ex.response;
  const isBodyless = ex.isHeadOnly || code < 200 || code === NO_CONTENT || code === NOT_MODIFIED;
  const isChunked = length < 0 && ex.request.version === HTTP_1_1 && ex.location.core.chunkedTransferEncoding;
  return isChunked && !isBodyless ? 'chunked' : null;
}

/** What the head's writer makes by itself and `ResponseHead.added` never holds. */
const MADE_BY_WRITER: Readonly<Record<string, VariableGetter>> = {
  content_type: (ex) => orNull(ex.response.contentType),
  content_length: contentLength,
  connection,
  keep_alive: keepAlive,
  transfer_encoding: transferEncoding,
  date: (ex) => ex.response.date || null,
  server: (ex) => ex.response.server || null,
};

/** `$sent_http_name`: fields of the response's head as it goes out; several are joined by `, `. */
function sentField(variableName: string): VariableGetter {
  const made = Object.hasOwn(MADE_BY_WRITER, variableName) ? MADE_BY_WRITER[variableName] : undefined;
  if (made !== undefined) return made;
  return (ex) => {
    let text: string | null = null;
    const { passed, added, lastModified } = ex.response;
    for (let i = 0; passed !== null && i < passed.count; i++) {
      if (passed.hidden[i] === 1 || asVariable(passed.name(i)) !== variableName) continue;
      text = text === null ? passed.value(i) : `${text}, ${passed.value(i)}`;
    }
    for (let i = 0; i < added.length; i += 2) {
      if (asVariable(added[i] as string) !== variableName) continue;
      text = text === null ? (added[i + 1] as string) : `${text}, ${added[i + 1]}`;
    }
    return text === null && variableName === 'last_modified' ? orNull(lastModified) : text;
  };
}

function asVariable(fieldName: string): string {
  return lowerCase(fieldName).replaceAll('-', '_');
}

export const RESPONSE_VARIABLES: readonly VariableDef[] = [
  { name: 'status', compile: () => status },
  { name: 'bytes_sent', compile: () => (ex) => String(ex.bytesSent) },
  { name: 'body_bytes_sent', compile: () => (ex) => String(ex.bodyBytesSent) },
  { name: 'request_completion', compile: () => (ex) => (ex.isComplete ? 'OK' : '') },
  { name: 'sent_http_', isPrefix: true, compile: sentField },
];
