import type { Exchange } from '../exchange.ts';
import { HEADER_ID } from '../known-header.ts';
import { assignLimitRate, limitRateBytes } from '../limit-rate.ts';
import type { VariableDef } from '../variable.ts';
import { argValue } from './arg-value.ts';
import { basicUser } from './basic-user.ts';
import { cookieValue } from './cookie-value.ts';
import { fieldReader } from './field-values.ts';
import { newRequestId } from './request-id.ts';

function orNull(text: string): string | null {
  return text === '' ? null : text;
}

function protocol({ request }: Exchange): string | null {
  // The request line was refused.
  if (request.method === '') return null;
  switch (request.version) {
    case 20:
      return 'HTTP/2.0';
    case 11:
      return 'HTTP/1.1';
    case 10:
      return 'HTTP/1.0';
    case 9:
      return null;
  }
}

/** That of the client, in a subrequest too. */
function method({ request, subrequest }: Exchange): string | null {
  return orNull(subrequest === null ? request.method : subrequest.mainMethod);
}

/** HTTP/2 has none before all fields are known to be good. */
function requestLine({ request }: Exchange): string | null {
  return request.version === 20 ? orNull(request.line) : request.line;
}

function requestId(ex: Exchange): string {
  const parent = ex.subrequest?.parent ?? null;
  if (ex.requestId === '') ex.requestId = parent === null ? newRequestId() : requestId(parent);
  return ex.requestId;
}

function remoteUser({ request }: Exchange): string | null {
  const at = request.headers.find(HEADER_ID['authorization']);
  return at < 0 ? null : basicUser(request.headers.value(at));
}

/** Not there when the request line was refused; empty when only its path was, as nginx has it. */
function uri({ uri, request }: Exchange): string | null {
  return uri === '' && request.target === '' ? null : uri;
}

/** Port that the client named in the request line or in Host; '' when it named none. */
function requestPort({ request }: Exchange): string {
  return /:0*([1-9]\d*)$/.exec(request.rawHost ?? '')?.[1] ?? '';
}

function cookie(lowerName: string): (ex: Exchange) => string | null {
  return ({ request: { headers } }) => {
    for (let i = 0; i < headers.count; i++) {
      if (headers.ids[i] !== HEADER_ID['cookie']) continue;
      const value = cookieValue(headers.value(i), lowerName);
      if (value !== null) return value;
    }
    return null;
  };
}

/** nginx looks at the location's limit when it begins to send: until then there is only what was set. */
function limitRate(ex: Exchange): string {
  return String(ex.limitRateBytes >= 0 ? ex.limitRateBytes : ex.stream.isHeadSent ? limitRateBytes(ex) : 0);
}

/** `set $args`: what was sent no longer tells what is asked for. */
function assignArgs(ex: Exchange, value: string): void {
  ex.args = value;
  ex.isArgsEmptied = true;
  ex.isUriRewritten = true;
}

function queryOf(ex: Exchange): string | null {
  return ex.args === '' && !ex.isArgsEmptied ? null : ex.args;
}

export const REQUEST_VARIABLES: readonly VariableDef[] = [
  { name: 'host', compile: () => (ex) => (ex.host === '' ? ex.server.name : ex.host) },
  { name: 'uri', compile: () => uri },
  { name: 'document_uri', compile: () => uri },
  { name: 'request_uri', compile: () => (ex) => orNull(ex.request.target) },
  { name: 'args', compile: () => queryOf, assign: assignArgs },
  { name: 'query_string', compile: () => queryOf },
  { name: 'is_args', compile: () => (ex) => (ex.args === '' ? '' : '?') },
  { name: 'server_name', compile: () => (ex) => ex.server.name },
  { name: 'server_protocol', compile: () => protocol },
  { name: 'request', compile: () => requestLine },
  { name: 'request_method', compile: () => method },
  { name: 'request_length', compile: () => (ex) => String(ex.requestBytes) },
  { name: 'request_id', compile: () => requestId },
  { name: 'request_body', compile: () => (ex) => (ex.body === null ? null : ex.body.text) },
  {
    name: 'request_body_file',
    compile: () => (ex) => (ex.body === null ? null : orNull(ex.body.fileName)),
  },
  { name: 'request_port', compile: () => requestPort },
  { name: 'is_request_port', compile: () => (ex) => (requestPort(ex) === '' ? '' : ':') },
  { name: 'remote_user', compile: () => remoteUser },
  { name: 'content_type', compile: () => fieldOf('content_type') },
  { name: 'content_length', compile: () => fieldOf('content_length') },
  { name: 'pipe', compile: () => (ex) => (ex.isPipelined ? 'p' : '.') },
  { name: 'limit_rate', compile: () => limitRate, assign: assignLimitRate },
  { name: 'http_', isPrefix: true, compile: fieldOf },
  { name: 'cookie_', isPrefix: true, compile: cookie },
  { name: 'arg_', isPrefix: true, compile: (rest) => (ex) => argValue(ex.args, rest) },
];

function fieldOf(variableName: string): (ex: Exchange) => string | null {
  const read = fieldReader(variableName);
  return (ex) => read(ex.request.headers);
}
