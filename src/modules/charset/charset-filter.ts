import { addBodyFilter } from '../../http/body-filter.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { HeaderFilter } from '../../http/location.ts';
import { isOfType } from '../../http/type-set.ts';
import type { VariableCompiler } from '../../http/variable.ts';
import { type CharsetChoice, type CharsetConf, noMap, recodingOf } from './charset-conf.ts';
import { RecodeFilter } from './recode-filter.ts';

type Choose = (ex: Exchange) => string | null;

/** What one location does with charsets. */
export class CharsetRules {
  readonly #conf: CharsetConf;
  readonly #http: Pick<CharsetConf, 'maps' | 'names'>;
  readonly #charset: Choose | null;
  readonly #source: Choose | null;
  readonly #heedsPeer: boolean;

  /** `http`: conf of the http scope. `heedsPeer`: X-Accel-Charset counts. */
  constructor(
    conf: CharsetConf,
    http: Pick<CharsetConf, 'maps' | 'names'>,
    variables: VariableCompiler,
    heedsPeer: boolean,
  ) {
    this.#conf = conf;
    this.#http = http;
    this.#charset = chooser(conf.charset, http.names, variables);
    this.#source = chooser(conf.source, http.names, variables);
    this.#heedsPeer = heedsPeer;
  }

  readonly filter: HeaderFilter = (ex) => {
    const { response } = ex;
    if (response.contentType === '') return;
    const said = saidCharset(ex);
    const to = this.destination(ex, said);
    if (to === null) return;
    const from = said ?? this.#source?.(ex) ?? null;
    if (from === null || from.toLowerCase() === to.toLowerCase()) {
      setCharset(ex, to);
      return;
    }
    const recoding = recodingOf(this.#http.maps, from.toLowerCase(), to.toLowerCase());
    if (recoding === null) {
      ex.location.errorLog.write('error', ex, noMap(from, to));
      return;
    }
    if (response.coding !== '') {
      setCharset(ex, from);
      return;
    }
    setCharset(ex, to);
    if (recoding.kind !== 'bytes') {
      response.contentLength = -1;
      response.part = null;
    }
    addBodyFilter(ex, (link) => new RecodeFilter(link, recoding));
  };

  /** The charset that the response is to have; null: nothing is done. `said`: the one that its type names. */
  destination(ex: Exchange, said: string | null): string | null {
    const { response } = ex;
    const wanted = this.#heedsPeer ? peerCharset(ex) : null;
    if (wanted !== null) {
      if (this.#http.names.has(wanted.toLowerCase())) return wanted;
      ex.location.errorLog.write('error', ex, `unknown charset "${wanted}" to override`);
      return null;
    }
    if (this.#charset === null) return null;
    if (
      said === null ? !isOfType(response, this.#conf.types) || hasCharset(response.contentType) : !this.#conf.overrides
    )
      return null;
    return this.#charset(ex);
  }
}

function chooser(
  choice: CharsetChoice | null,
  names: ReadonlyMap<string, string>,
  variables: VariableCompiler,
): Choose | null {
  if (choice === null) return null;
  if ('variable' in choice) return variables.variable(choice.variable);
  const name = names.get(choice.name.toLowerCase()) ?? choice.name;
  return () => name;
}

const CHARSET = /; *charset=/i;

function hasCharset(contentType: string): boolean {
  return CHARSET.test(contentType);
}

/** The charset that a peer's Content-Type names. */
function saidCharset({ response }: Exchange): string | null {
  if (response.contentTypeAt < 0) return null;
  const { contentType } = response;
  const found = CHARSET.exec(contentType);
  if (found === null) return null;
  const name = contentType
    .slice(found.index + found[0].length)
    .replace(/^"/, '')
    .replace(/"$/, '');
  return name === '' ? null : name;
}

/** X-Accel-Charset of the peer whose response this is. */
function peerCharset({ response, upstreamHead }: Exchange): string | null {
  if (response.passed === null || upstreamHead === null) return null;
  const { headers } = upstreamHead;
  const at = headers.findNamed('x-accel-charset');
  return at < 0 || headers.value(at) === '' ? null : headers.value(at);
}

/** Redirects say none: as nginx has it, old browsers took it for that of the next page. */
function setCharset({ response }: Exchange, name: string): void {
  const found = CHARSET.exec(response.contentType);
  const type = found === null ? response.contentType : response.contentType.slice(0, found.index);
  const isRedirect = response.status === 301 || response.status === 302;
  if (isRedirect && found !== null) return;
  const isAdded = !isRedirect && name !== '';
  response.contentType = isAdded ? `${type}; charset=${name}` : type;
  response.hasOwnCharset = isAdded;
}
