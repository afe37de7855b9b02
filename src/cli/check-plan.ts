import { lookup } from 'node:dns/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError } from '../config/diagnostic.ts';
import { postgresProbe } from '../probe/postgres-probe.ts';
import type { Probe, ProbeTarget } from '../probe/probe.ts';
import { redisProbe } from '../probe/redis-probe.ts';
import { sentinelProbe } from '../probe/sentinel-probe.ts';
import type { CheckKind, StackCheck } from '../probe/stack/stack-check.ts';
import { parseStatusSet, type StatusSet } from '../probe/status-set.ts';
import { tcpProbe } from '../probe/tcp-probe.ts';
import { targetOfUrl, urlProbe } from '../probe/url-probe.ts';
import { parsePassTarget } from '../upstream/pass-target.ts';
import { findStack } from './check-conf.ts';
import type { CheckFlags, Variables } from './check-flags.ts';
import { readSecret, readText } from './check-variables.ts';
import { UsageError } from './usage-error.ts';
import { ownVersion } from './version-text.ts';

/** What a command looks at, round after round. */
export interface CheckPlan {
  /** The checks of one round; names of backends are looked up anew. */
  checks(): Promise<StackCheck[]>;
  /** Passwords that no output may have. */
  readonly secrets: readonly string[];
  /** What was found in a configuration and can't be checked. */
  readonly notes: readonly string[];
}

/** Any answer but an error of the balancer's own: what is at `/` of a port found in a configuration is not known. */
const ANSWERS: StatusSet = parseStatusSet('100-499') ?? [];
const MAX_REDIRECTS = 5;

/** Throws UsageError for what can't be a target, and when there is none at all: nothing asked is nothing known. */
export function planChecks(flags: CheckFlags, variables: Variables, resolve: Resolve = addressesOf): CheckPlan {
  const planner = new Planner(flags, variables, resolve);
  const entries = planner.entries();
  if (entries.length === 0) {
    throw new UsageError('Say what to look at: --balancer, --backend, --postgres, --redis, --sentinel, --conf');
  }
  const { secrets, notes } = planner;
  return {
    secrets,
    notes,
    checks: async () => (await Promise.all(entries.map((entry) => entry(flags.timeoutMs)))).flat(),
  };
}

/** One flag's value: usually one check, for a name with several addresses several. */
type Entry = (timeoutMs: number) => StackCheck[] | Promise<StackCheck[]>;

/** The addresses of a name; none when nobody says. */
type Resolve = (name: string, timeoutMs: number) => Promise<string[]>;

interface FoundOptions {
  /** Default: true. */
  readonly isVerified?: boolean;
  /** Default: false. */
  readonly hasProxyProtocol?: boolean;
}

class Planner {
  readonly secrets: string[] = [];
  readonly notes: string[] = [];
  readonly #flags: CheckFlags;
  readonly #variables: Variables;
  readonly #resolve: Resolve;
  readonly #ca: string | null;

  constructor(flags: CheckFlags, variables: Variables, resolve: Resolve) {
    this.#resolve = resolve;
    this.#flags = flags;
    this.#variables = variables;
    this.#ca = flags.ca === null ? null : readText('--ca', flags.ca);
  }

  entries(): Entry[] {
    return [...this.#web(), ...this.#postgres(), ...this.#redis(), ...this.#sentinels(), ...this.#conf()];
  }

  #web(): Entry[] {
    const { balancer, api, backend, status, body, apiStatus, apiBody } = this.#flags;
    return [
      ...balancer.map((text) => this.#urlEntry('balancer', 'balancer', text, status, body)),
      ...api.map((text) => this.#urlEntry('api', 'api', text, apiStatus, apiBody)),
      ...backend.map((text) => this.#backendEntry(text)),
    ];
  }

  #urlEntry(kind: CheckKind, flag: string, text: string, status: StatusSet, body: string | null): Entry {
    const url = readUrl(flag, text);
    const probe = this.#urlProbe(url, status, body);
    return () => [{ kind, label: text, target: targetOfUrl(url), probe }];
  }

  #backendEntry(text: string): Entry {
    const { backendUri, backendStatus, backendBody } = this.#flags;
    if (text.includes('://')) return this.#urlEntry('backend', 'backend', text, backendStatus, backendBody);
    const target = readTarget('backend', text, 80);
    const probe = this.#urlProbe(urlOf('http', target, backendUri), backendStatus, backendBody);
    return this.#each({ kind: 'backend', label: text, target, probe });
  }

  #urlProbe(url: URL, status: StatusSet, bodyText: string | null, found: FoundOptions = {}): Probe {
    const { isInsecure, certDays } = this.#flags;
    const { isVerified = true, hasProxyProtocol = false } = found;
    return urlProbe({
      url,
      status,
      bodyText,
      certificate: { isVerified: isVerified && !isInsecure, minDays: certDays },
      ca: this.#ca,
      maxRedirects: status === ANSWERS ? 0 : MAX_REDIRECTS,
      hasProxyProtocol,
      userAgent: `evenkeel-check/${ownVersion()}`,
    });
  }

  #postgres(): Entry[] {
    const { postgres, postgresPrimary, postgresReplica, maxLagBytes, maxLagMs, maxSlotWalBytes, minReplicas } =
      this.#flags;
    const user = this.#variables['POSTGRES_USER'] || 'postgres';
    const database = this.#variables['POSTGRES_DB'] || user;
    const password = this.#secret(
      postgres.length + postgresPrimary.length + postgresReplica.length,
      'POSTGRES_PASSWORD',
    );
    // A replica answers for its own lag, where one is looked at.
    const hasReplicas = postgresReplica.length > 0 || postgres.length > 1;
    const probeAs = (role: 'any' | 'primary' | 'replica'): Probe =>
      postgresProbe({
        ...{ user, database, role, maxSlotWalBytes, minReplicas },
        ...(password === undefined ? {} : { password }),
        ...{ maxLagBytes, maxLagMs, answersForReplicas: !hasReplicas },
      });
    return [
      ...servers('postgres', 'postgres', postgres, 5432, probeAs('any')),
      ...servers('postgres_primary', 'postgres-primary', postgresPrimary, 5432, probeAs('primary')),
      ...servers('postgres_replica', 'postgres-replica', postgresReplica, 5432, probeAs('replica')),
    ];
  }

  #redis(): Entry[] {
    const { redis, redisMaster, redisReplica, maxLagBytes, maxLagMs, minReplicas } = this.#flags;
    const password = this.#secret(redis.length + redisMaster.length + redisReplica.length, 'REDIS_PASSWORD');
    const username = this.#variables['REDIS_USERNAME'];
    const hasReplicas = redisReplica.length > 0 || redis.length > 1;
    const probeAs = (role: 'any' | 'master' | 'replica'): Probe =>
      redisProbe({
        ...(password === undefined ? {} : { password }),
        ...(username === undefined || username === '' ? {} : { username }),
        role,
        // Where replicas are looked at, the looks of one round are compared: see judge-stack.ts.
        ...{ maxLagBytes, maxLagMs, answersForReplicas: !hasReplicas },
        minReplicas,
      });
    return [
      ...servers('redis', 'redis', redis, 6379, probeAs('any')),
      ...servers('redis_master', 'redis-master', redisMaster, 6379, probeAs('master')),
      ...servers('redis_replica', 'redis-replica', redisReplica, 6379, probeAs('replica')),
    ];
  }

  #sentinels(): Entry[] {
    const { sentinel, masterName } = this.#flags;
    const password =
      this.#secret(sentinel.length, 'SENTINEL_PASSWORD') ?? this.#secret(sentinel.length, 'REDIS_PASSWORD');
    const probe = sentinelProbe({
      masterName,
      minSentinels: sentinel.length,
      ...(password === undefined ? {} : { password }),
    });
    return servers('sentinel', 'sentinel', sentinel, 26_379, probe);
  }

  #conf(): Entry[] {
    const { conf, backendUri, backendStatus, backendBody, timeoutMs } = this.#flags;
    if (conf === null) return [];
    const found = findStack(conf);
    this.notes.push(...found.notes);
    if (found.listeners.length + found.backends.length === 0) {
      throw new UsageError(`--conf ${conf}: there is no listening port and no upstream server in it`);
    }
    const connecting = { connectTimeoutMs: timeoutMs, readTimeoutMs: timeoutMs };
    const connects = tcpProbe({ ...connecting, tls: null, localAddress: null, send: '', expect: null });
    const listeners = found.listeners.map(({ url, address, hasProxyProtocol }): Entry => {
      const target = readTarget('conf', address, 80);
      const probe = url === null ? connects : this.#urlProbe(new URL(url), ANSWERS, null, { hasProxyProtocol });
      return () => [{ kind: 'balancer', label: address, target, probe }];
    });
    const backends = found.backends.map(({ scheme, address, uri }): Entry => {
      const target = readTarget('conf', address, scheme === 'https' ? 443 : 80);
      if (scheme === null) return this.#each({ kind: 'backend', label: address, target, probe: connects });
      const url = urlOf(scheme, target, uri ?? backendUri);
      // As nginx without proxy_ssl_verify.
      const probe = this.#urlProbe(url, backendStatus, backendBody, { isVerified: false });
      return this.#each({ kind: 'backend', label: address, target, probe });
    });
    return [...listeners, ...backends];
  }

  /** A backend's name may stand for several (a scaled service in Docker's DNS): each of them is looked at. */
  #each(check: StackCheck): Entry {
    const { target, label } = check;
    if (target.kind === 'unix') return () => [check];
    return async (timeoutMs) => {
      const addresses = await this.#resolve(target.host, timeoutMs);
      if (addresses.length < 2) return [check];
      return addresses.map((host) => ({ ...check, label: `${label} (${host})`, target: { ...target, host } }));
    };
  }

  /** Read only where it is needed: a file of secrets may be missing where nobody asks for it. */
  #secret(targets: number, name: string): string | undefined {
    const value = targets === 0 ? undefined : readSecret(this.#variables, name);
    if (value !== undefined && value !== '') this.secrets.push(value);
    return value;
  }
}

function servers(kind: CheckKind, flag: string, texts: readonly string[], port: number, probe: Probe): Entry[] {
  return texts.map((text) => {
    const target = readTarget(flag, text, port);
    return () => [{ kind, label: text, target, probe }];
  });
}

/** Of one family, so that a machine with both is not two. Empty when nobody says: the probe then finds out why. */
async function addressesOf(name: string, timeoutMs: number): Promise<string[]> {
  const timer = new AbortController();
  const late = sleep(timeoutMs, [], { signal: timer.signal }).catch(() => []);
  const found = await Promise.race([lookup(name, { all: true }).catch(() => []), late]);
  timer.abort();
  const first = found.find(({ family }) => family === 4) ?? found[0];
  const addresses = found.filter(({ family }) => family === first?.family).map(({ address }) => address);
  return [...new Set(addresses)].sort();
}

function readUrl(flag: string, text: string): URL {
  const url = URL.parse(text);
  if ((url === null && text.includes('@')) || (url?.username ?? '') !== '' || (url?.password ?? '') !== '') {
    throw new UsageError(
      `--${flag}: a user or password does not belong here: every user of this machine could read it`,
    );
  }
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`--${flag} ${text}: not a URL; write http://HOST/PATH or https://HOST/PATH`);
  }
  return url;
}

function readTarget(flag: string, text: string, defaultPort: number): ProbeTarget {
  if (text.includes('@') || text.includes('://')) {
    const variables =
      'passwords come from POSTGRES_PASSWORD, REDIS_PASSWORD, or the files that POSTGRES_PASSWORD_FILE and REDIS_PASSWORD_FILE name';
    throw new UsageError(`--${flag}: write HOST:PORT, [IPV6]:PORT or unix:PATH, without scheme and user; ${variables}`);
  }
  try {
    const { address, host, port } = parsePassTarget(text, defaultPort);
    if (address?.kind === 'unix') return address;
    return { kind: 'tcp', host: address?.host ?? host, port };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new UsageError(`--${flag} ${text}: ${error.message}; write HOST:PORT, [IPV6]:PORT or unix:PATH`);
  }
}

function urlOf(scheme: 'http' | 'https', target: ProbeTarget, uri: string): URL {
  if (target.kind === 'unix') return new URL(uri, `${scheme}://localhost`);
  const host = target.host.includes(':') ? `[${target.host}]` : target.host;
  return new URL(uri, `${scheme}://${host}:${target.port}`);
}
