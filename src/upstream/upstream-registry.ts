import { ConfigError } from '../config/diagnostic.ts';
import { ServiceKey } from '../http/http-module.ts';
import type { Template } from '../http/variable.ts';
import { roundRobin } from '../policy/balance/round-robin.ts';
import type { RandomSource } from '../policy/balancer.ts';
import { type PassTarget, parsePassTarget } from './pass-target.ts';
import { Peer } from './peer.ts';
import { addressText, type PeerAddress } from './peer-address.ts';
import { DEFAULT_PEER, type PeerConf } from './peer-conf.ts';
import type { ResolvedNames } from './resolved-names.ts';
import type { ServerLine, UpstreamConf } from './upstream-conf.ts';
import { type CarriedGroup, UpstreamGroup, type ZoneLink } from './upstream-group.ts';

/** Groups of the configuration being compiled. */
export const UPSTREAMS = new ServiceKey<UpstreamRegistry>('upstreams');

export interface UpstreamRegistryInit {
  /** Registry of the configuration in force, whose peers are kept where name and address are the same; null at start. */
  readonly previous: UpstreamRegistry | null;
  /** Addresses of the names in the configuration. */
  readonly names: ResolvedNames;
  /** Default: Math.random. */
  readonly random?: RandomSource;
  /** Line of groups with `zone` to the other workers; null or absent: each worker for itself. */
  readonly zones?: ZoneLink | null;
  /** Hears of panics of groups without a zone. */
  readonly onPanic?: (isOn: boolean, text: string) => void;
}

/** Most groups kept for addresses that come out of variables. */
const MOST_VARIABLE_GROUPS = 1000;

/**
 * All groups of one configuration. While it is compiled nothing live changes; `activate` at the swap makes kept peers
 * follow the new configuration and says what went away. A configuration that fails is simply dropped.
 */
export class UpstreamRegistry {
  /** Null after `activate`: generations must not hang on one another. */
  #previous: UpstreamRegistry | null;
  readonly #names: Map<string, ResolvedNames[string]>;
  readonly #random: RandomSource;
  readonly #zones: ZoneLink | null;
  readonly #onPanic: (isOn: boolean, text: string) => void;
  readonly #groups = new Map<string, OwnedGroup>();
  readonly #variableGroups = new Map<string, OwnedGroup>();
  #isActive = false;

  constructor(init: UpstreamRegistryInit) {
    this.#previous = init.previous;
    this.#names = new Map(Object.entries(init.names));
    this.#random = init.random ?? (() => (Math.random() * 0x1_0000_0000) >>> 0);
    this.#zones = init.zones ?? null;
    this.#onPanic = init.onPanic ?? (() => undefined);
  }

  /** `upstream NAME {}`. `compileKey` gives the key of `hash`: called by `compileKeys`, when all variables are known. */
  define(conf: UpstreamConf, compileKey: (() => Template) | null): UpstreamGroup {
    return this.#add(conf.name, conf, compileKey, false).group;
  }

  /** Once, after every location was compiled (`set` may define what `hash` reads). Throws ConfigError `unknown "x" variable`, as nginx without a position. */
  compileKeys(): void {
    for (const owned of this.#groups.values()) owned.group.compileKey();
  }

  /** The `upstream` of that name (any case); null: there is none. */
  byName(name: string): UpstreamGroup | null {
    return this.#groups.get(name.toLowerCase())?.group ?? null;
  }

  /**
   * Group of a `proxy_pass http://TEXT` without variables: the upstream of that name, else one peer per address.
   * Throws ConfigError in nginx's words.
   */
  forPass(text: string, defaultPort: number): UpstreamGroup {
    const target = readTarget(text, defaultPort);
    const named = this.#named(target);
    if (named !== null) {
      if (target.hasPort) throw new ConfigError(`upstream "${target.host}" may not have port ${target.port}`);
      return named;
    }
    const key = implicitKey(target);
    return (this.#groups.get(key) ?? this.#add(key, implicitConf(target), null, true)).group;
  }

  /** Group of a `proxy_pass` whose host came out of variables: an upstream or a literal address. Null: a name that would have to be looked up. */
  forVariable(text: string, defaultPort: number): UpstreamGroup | null {
    const target = readTarget(text, defaultPort);
    const named = target.hasPort ? null : this.#named(target);
    if (named !== null) return named;
    const key = implicitKey(target);
    const known = this.#groups.get(key) ?? this.#variableGroups.get(key);
    if (known !== undefined) return known.group;
    if (target.address === null) return null;
    const oldest = this.#variableGroups.keys().next().value;
    if (oldest !== undefined && this.#variableGroups.size >= MOST_VARIABLE_GROUPS) this.#variableGroups.delete(oldest);
    const owned = this.#make(key, implicitConf(target), null, true);
    this.#variableGroups.set(key, owned);
    return owned.group;
  }

  /** All groups, `upstream` blocks and addresses of `proxy_pass`, in the order of the configuration. */
  groups(): UpstreamGroup[] {
    return [...this.#groups.values()].map((owned) => owned.group);
  }

  /** At the swap: kept peers take their new numbers. Returns the peers that are gone, so that their idle connections can be closed. */
  activate(): Peer[] {
    if (this.#isActive) return [];
    this.#isActive = true;
    const kept = new Set<Peer>();
    for (const owned of this.#groups.values()) {
      for (const { peer, conf } of owned.entries) {
        peer.adopt(conf);
        kept.add(peer);
      }
      owned.group.replacePeers(owned.group.peers, owned.group.backups);
    }
    this.#openZones();
    const before = this.#previous === null ? [] : [...this.#previous.#groups.values()];
    this.#previous = null;
    return before.flatMap((owned) => owned.entries.map((entry) => entry.peer)).filter((peer) => !kept.has(peer));
  }

  /** A name resolved (anew): its peers come up, those of addresses that are gone leave. Returns those. */
  applyName(name: string, addresses: ResolvedNames[string]): Peer[] {
    this.#names.set(name, addresses);
    const gone: Peer[] = [];
    for (const owned of this.#groups.values()) {
      if (!owned.conf.servers.some((line) => line.target.address === null && line.target.host === name)) continue;
      const entries = this.#entries(owned.conf, owned.entries);
      gone.push(...owned.entries.map((entry) => entry.peer).filter((peer) => !entries.some((e) => e.peer === peer)));
      owned.entries = entries;
      owned.group.replacePeers(peersOf(entries, false), peersOf(entries, true));
    }
    if (this.#isActive) this.#openZones();
    return gone;
  }

  #openZones(): void {
    this.#zones?.open(this.groups().filter((group) => group.zone !== null));
  }

  /** The `upstream` block that a target means; one may be named like an address. */
  #named(target: PassTarget): UpstreamGroup | null {
    return target.address?.kind === 'unix' ? null : this.byName(target.host);
  }

  #add(key: string, conf: UpstreamConf, compileKey: (() => Template) | null, isImplicit: boolean): OwnedGroup {
    const owned = this.#make(key, conf, compileKey, isImplicit);
    this.#groups.set(key.toLowerCase(), owned);
    return owned;
  }

  #make(key: string, conf: UpstreamConf, compileKey: (() => Template) | null, isImplicit: boolean): OwnedGroup {
    const before = this.#previous === null ? undefined : this.#previous.#groups.get(key.toLowerCase());
    const entries = this.#entries(conf, before?.entries ?? []);
    const carried: CarriedGroup = before?.group.carried ?? { pool: null };
    const zone = conf.zone === null || this.#zones === null ? null : this.#zones.zoneFor();
    const group = new UpstreamGroup({
      name: conf.name,
      isImplicit,
      method: { def: conf.method.def, args: conf.method.args, compileKey },
      keepalive: conf.keepalive,
      primaries: peersOf(entries, false),
      backups: peersOf(entries, true),
      random: this.#random,
      carried,
      zone,
      isZoned: conf.zone !== null,
      queue: conf.queue,
      panicPercent: conf.panicPercent,
      retryPercent: conf.retryPercent,
      onPanic: zone === null ? this.#onPanic : (isOn, text) => zone.panicked(conf.name, isOn, text),
    });
    return { conf, entries, group };
  }

  /** One peer per address of each line; a live one where an earlier entry has the same name and address. */
  #entries(conf: UpstreamConf, before: readonly OwnedPeer[]): OwnedPeer[] {
    const free = new Map<string, Peer[]>();
    for (const { peer } of before) {
      const key = peerKey(peer.name, peer.address);
      const list = free.get(key);
      if (list === undefined) free.set(key, [peer]);
      else list.push(peer);
    }
    return conf.servers.flatMap((line) =>
      this.#addresses(line).map((address) => {
        const peer = free.get(peerKey(line.conf.name, address))?.shift() ?? new Peer(line.conf, address);
        return { peer, conf: line.conf };
      }),
    );
  }

  #addresses(line: ServerLine): (PeerAddress | null)[] {
    const target = line.target;
    if (target.address !== null) return [target.address];
    const found = this.#names.get(target.host) ?? [];
    if (found.length === 0) return [null];
    return found.map(({ host, family }) => ({ kind: 'tcp', host, family, port: target.port }));
  }
}

interface OwnedPeer {
  readonly peer: Peer;
  readonly conf: PeerConf;
}

interface OwnedGroup {
  readonly conf: UpstreamConf;
  readonly group: UpstreamGroup;
  entries: OwnedPeer[];
}

function peersOf(entries: readonly OwnedPeer[], isBackup: boolean): Peer[] {
  return entries.filter((entry) => entry.conf.isBackup === isBackup).map((entry) => entry.peer);
}

function peerKey(name: string, address: PeerAddress | null): string {
  return `${name} ${address === null ? '' : addressText(address)}`;
}

function readTarget(text: string, defaultPort: number): PassTarget {
  try {
    return parsePassTarget(text, defaultPort);
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError(`${error.message} in upstream "${text}"`);
    throw error;
  }
}

/** Begins with a zero, so that it is no upstream's name. */
function implicitKey(target: PassTarget): string {
  return `\0${implicitName(target)}`;
}

function implicitName(target: PassTarget): string {
  return target.address?.kind === 'unix' ? target.text : `${target.host}:${target.port}`;
}

function implicitConf(target: PassTarget): UpstreamConf {
  const name = implicitName(target);
  return {
    name: target.text,
    pos: null,
    servers: [{ target, conf: { ...DEFAULT_PEER, name } }],
    method: { def: roundRobin, args: [] },
    keepalive: null, // nginx: only an `upstream` block keeps connections
    zone: null,
    queue: null,
    panicPercent: null,
    retryPercent: null,
  };
}
