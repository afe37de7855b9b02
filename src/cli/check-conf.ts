import { resolve } from 'node:path';
import { loadConfig } from '../config/load.ts';
import type { Directive } from '../config/tree.ts';
import { UsageError } from './usage-error.ts';

/** A place that an nginx configuration says it listens on. */
export interface FoundListener {
  /** `http://shop.example/`: scheme, and the host that requests are for. Null: it speaks no HTTP (`stream`). */
  readonly url: string | null;
  /** Where it is reached from here: `127.0.0.1:443`, `[::1]:80`, `unix:/run/x.sock`. */
  readonly address: string;
  readonly hasProxyProtocol: boolean;
}

/** A server that an nginx configuration sends requests to. */
export interface FoundBackend {
  /** As in the configuration. */
  readonly address: string;
  /** Null: what it speaks is not HTTP/1.x, or not known; it is connected to. */
  readonly scheme: 'http' | 'https' | null;
  /** Of a `health_check` there; null: none says. */
  readonly uri: string | null;
}

export interface FoundStack {
  readonly listeners: readonly FoundListener[];
  readonly backends: readonly FoundBackend[];
  /** What is there and could not be made sense of. */
  readonly notes: readonly string[];
}

/**
 * Ports and upstream servers of an nginx.conf with all its includes. Only the text is read, so that directives which evenkeel does not know don't
 * matter. Throws UsageError when it can't be read whole: what is not read is not checked.
 */
export function findStack(file: string): FoundStack {
  const path = Buffer.from(resolve(file), 'utf8').toString('latin1');
  const { snapshot, diagnostics } = loadConfig({ file: path, prefix: path.slice(0, path.lastIndexOf('/') + 1) });
  const [finding] = diagnostics.filter(({ severity }) => severity === 'emerg');
  if (finding !== undefined) {
    const where = finding.pos === null ? '' : ` in ${finding.pos.file}:${finding.pos.line}`;
    throw new UsageError(`--conf ${file}: ${finding.text}${where}`);
  }
  const finder = new Finder();
  finder.walk(snapshot.tree, 'main');
  return finder.result();
}

type Context = 'main' | 'http' | 'stream';

interface Pass {
  readonly scheme: 'http' | 'https' | null;
  readonly host: string;
  readonly uri: string | null;
}

class Finder {
  readonly #listeners = new Map<string, FoundListener>();
  readonly #upstreams = new Map<string, string[]>();
  readonly #passes: Pass[] = [];
  readonly #notes: string[] = [];
  /** By name: all that `set` gives a variable. */
  readonly #settings = new Map<string, Set<string>>();
  readonly #deferred: (() => void)[] = [];

  walk(directives: readonly Directive[], context: Context): void {
    for (const directive of directives) {
      const { name, args, block } = directive;
      if (block === null) {
        if (name === 'set') this.#readSet(directive);
        // When all settings are known.
        else this.#deferred.push(() => this.#readPass(directive, directives, context));
        continue;
      }
      if (name === 'upstream') this.#upstreams.set(args[0] ?? '', peersOf(block));
      else if (name === 'server' && context === 'http') this.#readServer(block);
      else if (name === 'server' && context === 'stream') this.#readStreamServer(block);
      this.walk(block, name === 'http' || name === 'stream' ? name : context);
    }
  }

  result(): FoundStack {
    for (const read of this.#deferred.splice(0)) read();
    const backends = new Map<string, FoundBackend>();
    for (const { scheme, host, uri } of this.#passes) {
      for (const address of this.#upstreams.get(host) ?? [host]) {
        const known = backends.get(address);
        if (known === undefined || known.uri === null)
          backends.set(address, { address, scheme, uri: uri ?? known?.uri ?? null });
      }
    }
    // A group that no proxy_pass names: by variables, perhaps.
    for (const address of [...this.#upstreams.values()].flat()) {
      if (!backends.has(address)) backends.set(address, { address, scheme: null, uri: null });
    }
    return { listeners: [...this.#listeners.values()], backends: [...backends.values()], notes: this.#notes };
  }

  #readPass({ name, args, pos }: Directive, beside: readonly Directive[], context: Context): void {
    const pass = /^(proxy|fastcgi|uwsgi|scgi|grpc|memcached)_pass$/.exec(name);
    if (pass === null) return;
    const value = this.#withSettings(args[0] ?? '');
    const isHttp = pass[1] === 'proxy' && context === 'http';
    const match = /^(?:(https?|grpcs?|[a-z]+):\/\/)?(unix:[^:]*|[^/:]+(?::[0-9]+)?|\[[^\]]*\](?::[0-9]+)?)/.exec(value);
    if (match === null || value.includes('$')) {
      this.#notes.push(
        `${pos.file}:${pos.line}: where "${name} ${args[0] ?? ''}" leads is known only for each request: not checked`,
      );
      return;
    }
    const scheme = isHttp && (match[1] === 'http' || match[1] === 'https') ? match[1] : null;
    const check = beside.find((directive) => directive.name === 'health_check');
    const uri = check?.args.find((argument) => argument.startsWith('uri='))?.slice('uri='.length) ?? null;
    this.#passes.push({ scheme, host: match[2] ?? '', uri });
  }

  #readSet({ args: [name = '', value = ''] }: Directive): void {
    const known = this.#settings.get(name) ?? new Set();
    this.#settings.set(name, known.add(value));
  }

  /** `set $backend backend:8000; proxy_pass http://$backend;` is how a name is made to be looked up anew: what is always the same is known. */
  #withSettings(text: string): string {
    return text.replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (whole, braced: string | undefined, plain: string | undefined) => {
      const [value, ...others] = this.#settings.get(`$${braced ?? plain}`) ?? [];
      return value === undefined || others.length > 0 || value.includes('$') ? whole : value;
    });
  }

  #readStreamServer(block: readonly Directive[]): void {
    for (const { name, args } of block) {
      const [text = '', ...options] = args;
      if (name !== 'listen' || options.includes('udp')) continue;
      for (const address of reachable(text))
        this.#listeners.set(address, { url: null, address, hasProxyProtocol: false });
    }
  }

  #readServer(block: readonly Directive[]): void {
    const names = block.filter(({ name }) => name === 'server_name').flatMap(({ args }) => args);
    const plain = names.find((name) => /^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(name));
    const listens = block.filter(({ name }) => name === 'listen').map(({ args }) => args);
    for (const args of listens.length > 0 ? listens : [['80']]) {
      const [text = '', ...options] = args;
      for (const address of reachable(text)) {
        const isDefault = options.includes('default_server') || options.includes('default');
        if (this.#listeners.has(address) && !isDefault) continue;
        const scheme = options.includes('ssl') ? 'https' : 'http';
        this.#listeners.set(address, {
          url: `${scheme}://${hostOf(plain, address)}/`,
          address,
          hasProxyProtocol: options.includes('proxy_protocol'),
        });
      }
    }
  }
}

/** `server` lines that are in use. */
function peersOf(block: readonly Directive[]): string[] {
  const lines = block.filter(({ name, args }) => name === 'server' && !args.includes('down'));
  return lines.map(({ args }) => args[0] ?? '');
}

/** From this machine: a wildcard is the loopback. */
function reachable(listen: string): string[] {
  if (listen.toLowerCase().startsWith('unix:')) return [listen];
  const match = /^(?:(\[[^\]]*\]|[^:[\]]*):)?([0-9]+)(?:-([0-9]+))?$/.exec(listen);
  const host = match === null ? listen : (match[1] ?? '');
  const first = Number(match?.[2] ?? 80);
  const last = Number(match?.[3] ?? first);
  const place = { '': '127.0.0.1', '*': '127.0.0.1', '0.0.0.0': '127.0.0.1', '[::]': '[::1]' }[host] ?? host;
  return Array.from({ length: Math.min(last - first + 1, 1000) }, (_, i) => `${place}:${first + i}`);
}

/** The virtual server's name with the port where that is not the scheme's; without a name, the address. */
function hostOf(name: string | undefined, address: string): string {
  if (address.toLowerCase().startsWith('unix:')) return name ?? 'localhost';
  const port = address.slice(address.lastIndexOf(':') + 1);
  if (name === undefined) return address;
  return `${name}:${port}`;
}
