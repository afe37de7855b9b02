import { fullName } from '../../config/full-name.ts';
import { parseSizeBytes } from '../../config/parse-value.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { CoreSettings } from '../../http/location.ts';
import type { BodySettings } from '../../http/request-body.ts';
import type { PipeSettings } from '../../http/response-pipe.ts';
import type { TempPath } from '../../http/temp-file.ts';
import type { Template, VariableCompiler } from '../../http/variable.ts';
import type { TlsFiles } from '../../net/tls-files.ts';
import type { RetryRule } from '../../policy/retry.ts';
import type { AcquireOptions } from '../../upstream/acquire.ts';
import type { UpstreamRegistry } from '../../upstream/upstream-registry.ts';
import type { NameLookup } from '../resolver/resolver-module.ts';
import { parseBindAddress } from './bind-address.ts';
import { compilePassTo, type Destination, type PassTo } from './pass-to.ts';
import { LocationTls } from './peer-tls.ts';
import type { ProxyConf, TempPathConf } from './proxy-conf.ts';
import { RequestFields } from './request-fields.ts';
import { ResponseFields } from './response-fields.ts';

export interface ProxyLocationInit {
  readonly conf: ProxyConf;
  readonly core: CoreSettings;
  /** The location's prefix; '' for a regex or named one. */
  readonly prefix: string;
  /** What tells this location from others across reloads: file and line. */
  readonly identity: string;
  /** Relative temp paths hang under it. */
  readonly prefixDirectory: string;
  readonly registry: UpstreamRegistry;
  readonly variables: VariableCompiler;
  readonly tlsFiles: TlsFiles;
  /** `resolver` of this location; null: none. */
  readonly lookup: NameLookup | null;
}

/** Everything that one location's proxying needs, compiled; immutable. */
export class ProxyLocation {
  readonly passTo: PassTo;
  readonly method: Template | null;
  readonly setBody: Template | null;
  readonly version: 10 | 11 | 20;
  readonly requestFields: RequestFields;
  readonly responseFields: ResponseFields;
  readonly retry: RetryRule;
  readonly sendTimeoutMs: number;
  readonly readTimeoutMs: number;
  readonly maxHeadBytes: number;
  readonly ignoresClientAbort: boolean;
  readonly interceptsErrors: boolean;
  readonly passesTrailers: boolean;
  readonly forcesRanges: boolean;
  /** The client's body goes to the peer. */
  readonly passesBody: boolean;
  /** The client's body is read: it is passed, or `proxy_set_body` may ask for it. */
  readonly readsBody: boolean;
  readonly buffersRequest: boolean;
  readonly body: BodySettings;
  readonly pipe: PipeSettings;
  readonly #connect: AcquireOptions;
  readonly #bind: Template | null;
  readonly #tls: LocationTls | null;
  readonly #readRate: Template | null;
  readonly #earlyHints: readonly Template[];

  constructor(init: ProxyLocationInit) {
    const { conf, core, variables } = init;
    // A finding stands at the directive that it is about.
    const first = variables.pos;
    const standAt = (name: string) => {
      variables.pos = conf.positions[name] ?? first;
    };
    const template = (name: string, text: string | null) => {
      standAt(name);
      return text === null ? null : variables.template(text);
    };
    standAt('proxy_pass');
    this.passTo = compilePassTo(conf.pass ?? '', init.prefix.length, init.registry, variables, init.lookup);
    this.method = template('proxy_method', conf.method);
    this.setBody = template('proxy_set_body', conf.setBody);
    this.version = conf.httpVersion;
    standAt('proxy_set_header');
    this.requestFields = new RequestFields(conf.setHeaders ?? [], conf.passRequestHeaders, variables);
    this.responseFields = new ResponseFields(conf, init.prefix, variables);
    this.retry = {
      conditions: conf.nextUpstream,
      maxTries: conf.nextUpstreamTries,
      timeoutMs: conf.nextUpstreamTimeoutMs,
    };
    this.sendTimeoutMs = conf.sendTimeoutMs;
    this.readTimeoutMs = conf.readTimeoutMs;
    this.maxHeadBytes = conf.bufferBytes;
    this.ignoresClientAbort = conf.ignoreClientAbort;
    this.interceptsErrors = conf.interceptErrors;
    this.passesTrailers = conf.passTrailers;
    this.forcesRanges = conf.forceRanges;
    this.passesBody = conf.passRequestBody && conf.setBody === null;
    this.readsBody = this.passesBody || this.setBody?.constant === null;
    this.buffersRequest = conf.requestBuffering;
    this.body = {
      bufferBytes: core.clientBodyBufferBytes,
      maxBytes: core.clientMaxBodyBytes,
      tempPath: tempPath(conf.bodyTempPath, init.prefixDirectory),
      inFileOnly: conf.bodyInFileOnly,
    };
    standAt('proxy_limit_rate');
    const readRate = variables.template(conf.limitRate);
    this.#readRate = readRate.constant === null ? readRate : null;
    this.pipe = {
      isBuffered: conf.buffering,
      memoryBytes: conf.buffers.num * conf.buffers.sizeBytes,
      maxTempFileBytes: conf.maxTempFileBytes,
      tempPath: tempPath(conf.tempPath, init.prefixDirectory),
      limitRateBytes: conf.buffering ? core.limitRateBytes : 0,
      limitRateAfterBytes: core.limitRateAfterBytes,
      readRateBytes: parseSizeBytes(readRate.constant ?? '0') ?? 0,
    };
    standAt('proxy_ssl_name');
    const mayBeTls = /^https:|\$/i.test(conf.pass ?? '');
    this.#tls = mayBeTls ? new LocationTls(conf, init.tlsFiles, variables) : null;
    const bind = template('proxy_bind', conf.bind);
    this.#bind = bind !== null && bind.constant === null ? bind : null;
    this.#connect = {
      connectTimeoutMs: conf.connectTimeoutMs,
      bind: bind === null || bind.constant === null ? null : parseBindAddress(bind.constant),
      isSocketKeepalive: conf.socketKeepalive,
      isHttp2: conf.httpVersion === 20,
      tls: null,
      owner: ownerOf(`${init.identity} ${conf.bind ?? ''} ${conf.socketKeepalive}`),
    };
    standAt('early_hints');
    this.#earlyHints = conf.earlyHints.map((text) => variables.template(text));
    variables.pos = first;
  }

  /** Once for a request: `proxy_bind` with variables is evaluated here. What is no address (an empty value) leaves the choice to the system. */
  connectOptions(ex: Exchange, destination: Destination): AcquireOptions {
    const tls = destination.isTls && this.#tls !== null ? this.#tls.for(ex) : null;
    if (this.#bind === null) return tls === null ? this.#connect : { ...this.#connect, tls };
    const text = this.#bind.evaluate(ex);
    const bind = parseBindAddress(text);
    if (bind === null && text !== '') ex.location.errorLog.write('error', ex, `invalid local address "${text}"`);
    return { ...this.#connect, bind, tls };
  }

  /** Bytes per second from the peer (`proxy_limit_rate` with variables); else what `pipe` says. */
  readRateBytes(ex: Exchange): number {
    return this.#readRate === null ? this.pipe.readRateBytes : (parseSizeBytes(this.#readRate.evaluate(ex)) ?? 0);
  }

  /** Whether a 103 goes to the client. */
  passesEarlyHints(ex: Exchange): boolean {
    return this.#earlyHints.some((template) => {
      const value = template.evaluate(ex);
      return value !== '' && value !== '0';
    });
  }
}

/** The same object for the same location of every configuration, so that kept connections (`keepalive … local`) outlive a reload. */
const owners = new Map<string, object>();

function ownerOf(key: string): object {
  const owner = owners.get(key) ?? {};
  owners.set(key, owner);
  return owner;
}

/** Where temporary files of this configuration go. */
export function tempPath(conf: TempPathConf, prefixDirectory: string): TempPath {
  return { directory: fullName(prefixDirectory, conf.path), levels: conf.levels };
}
