import type { Exchange } from '../../http/exchange.ts';
import { HEADER_ID, KNOWN_HEADERS, knownHeaderIdOf } from '../../http/known-header.ts';
import type { UpstreamRequest } from '../../http/upstream-connection.ts';
import type { Template, VariableCompiler } from '../../http/variable.ts';

/** Fields of the client's that are never passed, whatever is set: they speak of the client's connection, and framing is our own. */
const NEVER_PASSED = [
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'te',
  'keep-alive',
  'expect',
  'upgrade',
] as const;

/**
 * What a `Connection` field made of the client's own may say to a peer. Any other name in it would take that field away from the peer:
 * `Connection: X-Real-IP` the one that we have set.
 */
const CONNECTION_OPTIONS = ['close', 'keep-alive', 'upgrade'];

/** What the value of a field is held against, when variables make it. */
const ANY = 0;
const CONNECTION = 1;
const UPGRADE = 2;

/** How the body goes to the peer: not at all, with a length, or in chunks. */
export type BodyLength = number | 'chunked' | 'none';

/**
 * `proxy_set_header` and nginx's defaults, compiled: what is sent to the peer before and in place of the client's own fields.
 * `Content-Length` and `Transfer-Encoding` are always ours: they must tell the truth, or the next request on the connection is read wrongly.
 */
export class RequestFields {
  /** Fields without variables are strings, the others templates; name and value in turn. */
  readonly #names: readonly string[];
  readonly #values: readonly (string | Template)[];
  readonly #kinds: Uint8Array;
  /** 1 = the client's field of this known id is not passed. */
  readonly #isReplaced = new Uint8Array(KNOWN_HEADERS.length);
  /** Lower-case names not among the known ones. */
  readonly #replacedNames: readonly string[];
  readonly #passesClientFields: boolean;
  /** `proxy_set_header Content-Length ""`: a request without a body has none, not even zero. */
  readonly #hidesEmptyLength: boolean;

  constructor(set: readonly (readonly [string, string])[], passesClientFields: boolean, variables: VariableCompiler) {
    const own = set.filter(([name]) => !isFraming(name));
    const saysHost = own.some(([name]) => name.toLowerCase() === 'host');
    const all = saysHost ? own : [...own, ['Host', '$proxy_host'] as const];
    const sent = all
      .map(([name, value]) => ({ name, value: variables.template(value) }))
      .filter((field) => field.value.constant !== '');
    this.#names = sent.map((field) => field.name);
    this.#values = sent.map((field) => field.value.constant ?? field.value);
    this.#kinds = Uint8Array.from(sent, (field) => kindOf(field.name));
    for (const name of NEVER_PASSED) this.#isReplaced[HEADER_ID[name]] = 1;
    const others: string[] = [];
    for (const [name] of own) {
      const id = knownHeaderIdOf(name);
      if (id === 0) others.push(name.toLowerCase());
      else this.#isReplaced[id] = 1;
    }
    this.#replacedNames = others;
    this.#passesClientFields = passesClientFields;
    this.#hidesEmptyLength = set.some(([name, value]) => name.toLowerCase() === 'content-length' && value === '');
  }

  build(ex: Exchange, request: UpstreamRequest, body: BodyLength): void {
    const names = this.#names;
    const added = request.added;
    for (let i = 0; i < names.length; i++) {
      const value = this.#values[i] as string | Template;
      const kind = this.#kinds[i] as number;
      let text = typeof value === 'string' ? value : value.evaluate(ex);
      if (kind !== ANY && text !== '') {
        if (typeof value !== 'string') text = kind === CONNECTION ? knownOptions(text) : withoutH2c(text);
        if (kind === UPGRADE && text !== '') request.asksUpgrade = true;
      }
      if (text !== '') added.push(names[i] as string, text);
    }
    if (body === 'chunked') {
      added.push('Transfer-Encoding', 'chunked');
      request.isChunked = true;
    } else if (body !== 'none' && (body > 0 || !this.#hidesEmptyLength)) {
      added.push('Content-Length', body === 0 ? '0' : String(body));
    }
    if (this.#passesClientFields) this.#pass(ex, request);
  }

  #pass(ex: Exchange, request: UpstreamRequest): void {
    const headers = ex.request.headers;
    request.pass(headers);
    const skip = request.skip;
    const ids = headers.ids;
    const others = this.#replacedNames;
    for (let i = 0; i < headers.count; i++) {
      const id = ids[i] as number;
      if (id !== 0) skip[i] = this.#isReplaced[id] as number;
      else for (let n = 0; n < others.length; n++) if (headers.isNamed(i, others[n] as string)) skip[i] = 1;
    }
  }
}

function kindOf(name: string): number {
  const lower = name.toLowerCase();
  if (lower === 'connection') return CONNECTION;
  return lower === 'upgrade' ? UPGRADE : ANY;
}

function knownOptions(text: string): string {
  if (CONNECTION_OPTIONS.includes(text)) return text;
  const options = text.split(',').map((option) => option.trim());
  return options.filter((option) => CONNECTION_OPTIONS.includes(option.toLowerCase())).join(', ');
}

/** A tunnel of HTTP/2 to the peer would carry requests past everything that is configured here (RFC 9113 has no such upgrade any more). */
function withoutH2c(text: string): string {
  const protocols = text.split(',').map((protocol) => protocol.trim());
  return protocols.some(isH2c) ? protocols.filter((protocol) => !isH2c(protocol)).join(', ') : text;
}

function isH2c(protocol: string): boolean {
  return protocol.toLowerCase() === 'h2c';
}

function isFraming(name: string): boolean {
  const lower = name.toLowerCase();
  return lower === 'content-length' || lower === 'transfer-encoding';
}
