import { lowerCase } from './host-name.ts';

/** What became of a name: taken, not a host name or wildcard, or there already. */
export type HostTableResult = 'added' | 'invalid' | 'conflict';

/**
 * Values by host names: exact, `.example.com`, `*.example.com`, `www.example.*`. Exact names win, then the longest leading wildcard, then the
 * longest trailing one: nginx's hash of hosts (`map … hostnames`, `valid_referers`). Case does not count.
 */
export class HostTable<T> {
  readonly #exact = new Map<string, T>();
  readonly #leading = new Map<string, T>();
  readonly #trailing = new Map<string, T>();

  get size(): number {
    return this.#exact.size + this.#leading.size + this.#trailing.size;
  }

  add(name: string, value: T): HostTableResult {
    const lower = lowerCase(name);
    const stars = lower.split('*').length - 1;
    if (stars > 1 || lower.includes('..') || lower.includes('\0')) return 'invalid';
    if (lower.length > 1 && lower.startsWith('.')) {
      const suffix = lower.slice(1);
      if (this.#exact.has(suffix) || this.#leading.has(suffix)) return 'conflict';
      this.#exact.set(suffix, value);
      return addFirst(this.#leading, suffix, value);
    }
    if (lower.length > 2 && lower.startsWith('*.')) return addFirst(this.#leading, lower.slice(2), value);
    if (lower.length > 2 && lower.endsWith('.*')) return addFirst(this.#trailing, lower.slice(0, -2), value);
    return stars > 0 ? 'invalid' : addFirst(this.#exact, lower, value);
  }

  /** The same names with other values. */
  map<U>(change: (value: T) => U): HostTable<U> {
    const table = new HostTable<U>();
    for (const [name, value] of this.#exact) table.#exact.set(name, change(value));
    for (const [name, value] of this.#leading) table.#leading.set(name, change(value));
    for (const [name, value] of this.#trailing) table.#trailing.set(name, change(value));
    return table;
  }

  /** `host` in lower case. Undefined: there is none. */
  find(host: string): T | undefined {
    const exact = this.#exact.get(host);
    if (exact !== undefined) return exact;
    if (this.#leading.size > 0) {
      for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) {
        const value = this.#leading.get(host.slice(dot + 1));
        if (value !== undefined) return value;
      }
    }
    if (this.#trailing.size > 0) {
      for (let dot = host.lastIndexOf('.'); dot > 0; dot = host.lastIndexOf('.', dot - 1)) {
        const value = this.#trailing.get(host.slice(0, dot));
        if (value !== undefined) return value;
      }
    }
    return undefined;
  }
}

function addFirst<T>(map: Map<string, T>, key: string, value: T): HostTableResult {
  if (map.has(key)) return 'conflict';
  map.set(key, value);
  return 'added';
}
