import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { type HttpMessage, headerOf } from '../support/http-message.ts';
import type { RawClient } from '../support/raw-client.ts';
import type { BackendRequest } from '../support/scripted-backend.ts';
import { normalizeErrorLine, printable } from './normalize.ts';

/** Everything that can be seen of one case on one side; rendered to text and compared as text. */
export interface Observation {
  readonly clients: readonly RawClient[];
  readonly backends: ReadonlyMap<string, readonly BackendRequest[]>;
  /** File name -> new lines. */
  readonly logs: ReadonlyMap<string, readonly string[]>;
  readonly notes: readonly string[];
}

export const PARTS = ['client', 'backends', 'access log', 'error log'] as const;
export type Part = (typeof PARTS)[number];

export interface Style {
  /** One line per response and per request. */
  readonly isBrief: boolean;
  /** Name the backends' connections, so that reuse of connections is compared. */
  readonly showsConnections: boolean;
}

/** The parts as text, before normalisation. A part with nothing in it is ''. */
export function render(seen: Observation, style: Style): Record<Part, string> {
  const accessLogs = [...seen.logs].filter(([file]) => file !== 'error.log').sort();
  return {
    client: [...seen.clients.map((client, i) => renderClient(client, i + 1, style.isBrief)), ...seen.notes].join('\n'),
    backends: [...seen.backends].flatMap(([name, requests]) => renderBackend(name, requests, style)).join('\n'),
    'access log': accessLogs.flatMap(([file, lines]) => lines.map((line) => `${file}: ${printable(line)}`)).join('\n'),
    'error log': (seen.logs.get('error.log') ?? [])
      .map(normalizeErrorLine)
      .filter((line) => line !== undefined)
      .join('\n'),
  };
}

function renderClient(client: RawClient, number: number, isBrief: boolean): string {
  const responses = client.responses();
  const rest = client.rest();
  const ending = client.hasLeft ? 'left' : client.ending === 'reset' ? 'closed' : client.ending;
  if (isBrief) {
    const all = responses.map((one) => `${one.startLine.split(' ')[1]} ${printable(one.body)}`).join(' | ');
    return `${number}: ${all}${rest && ` + ${printable(rest)}`} [${ending}]`;
  }
  const shown = [...responses.map(renderMessage), ...(rest === '' ? [] : [`[bytes] ${printable(rest)}`])];
  return `-- connection ${number}\n${shown.join('\n')}\n[${ending}]`;
}

function renderBackend(name: string, requests: readonly BackendRequest[], style: Style): string[] {
  return requests.map((request) => {
    const aborted = request.wasAborted ? ' [left before the reply was out]' : '';
    const connection = style.showsConnections ? `, connection ${request.connection}` : '';
    const title = `-- ${name}${connection}${aborted}`;
    return style.isBrief ? `${title}: ${request.startLine}` : `${title}\n${renderMessage(request)}`;
  });
}

function renderMessage(message: HttpMessage): string {
  const headers = message.headers.map(([name, value]) => `${name}: ${value}`);
  const length = headerOf(message.headers, 'content-length');
  const isExact = message.isComplete && length === String(message.body.length);
  const shown = headers
    .map((line) =>
      isExact && /^content-length:/i.test(line) ? line.replace(/\d+$/, lengthAsShown(message.body)) : line,
    )
    .sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
  const lines = [printable(message.startLine), ...shown.map(printable)];
  if (message.body !== '') lines.push('', bodyText(message));
  for (const [name, value] of message.trailers) lines.push(`[trailer] ${name}: ${value}`);
  if (!message.isComplete) lines.push('[incomplete]');
  return lines.join('\n');
}

/** What was compressed is compared unpacked: each zlib packs in its own way. */
function bodyText({ headers, body }: HttpMessage): string {
  const codings = headers.filter(([name]) => name.toLowerCase() === 'content-encoding').map(([, value]) => value);
  const bytes = Buffer.from(body, 'latin1');
  try {
    if (codings.includes('gzip')) return `[gzip] ${printable(gunzipSync(bytes).toString('latin1'))}`;
    if (codings.includes('br')) return `[br] ${printable(brotliDecompressSync(bytes).toString('latin1'))}`;
  } catch {
    // It isn't: shown as it is.
  }
  return printable(body);
}

/** An error page names the version, whose length may differ: such a body's right length is shown as right. */
function lengthAsShown(body: string): string {
  return /nginx\/\d+\.\d+\.\d+/.test(body) ? '<right>' : String(body.length);
}
