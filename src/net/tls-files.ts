import { readFileSync } from 'node:fs';
import { fullName } from '../config/full-name.ts';
import { ServiceKey } from '../http/http-module.ts';
import type { TicketKeyRing } from './tls-sessions/ticket-key-ring.ts';

/** Contents of files by full name, in base64: goes from the primary to the workers. */
export type TlsFileContents = Readonly<Record<string, string>>;

/**
 * Certificates, keys and what else TLS reads from files. The primary reads them, as the user that it was started by, and hands them to the
 * workers with the configuration: those may have no right to read them, and all of them must have the same.
 */
export class TlsFiles {
  readonly #contents = new Map<string, Buffer>();
  readonly #isGiven: boolean;
  readonly #watched: (readonly string[])[] = [];
  readonly #directory: string;
  /** Of session tickets where no file has a key. */
  readonly ticketKeys: TicketKeyRing;

  /** `given`: what the primary has read; null: files are read here. `directory`: that of the main file, to which names are relative. */
  constructor(ticketKeys: TicketKeyRing, given: TlsFileContents | null, directory: string) {
    this.ticketKeys = ticketKeys;
    this.#directory = directory;
    this.#isGiven = given !== null;
    for (const [name, content] of Object.entries(given ?? {})) this.#contents.set(name, Buffer.from(content, 'base64'));
  }

  /** The full name of a file, as nginx has it for TLS: relative to the main configuration file. */
  named(name: string): string {
    return fullName(this.#directory, name);
  }

  /** Throws Node's error. `name`: full, a byte string. */
  read(name: string): Buffer {
    const known = this.#contents.get(name);
    if (known !== undefined) return known;
    if (this.#isGiven) throw Object.assign(new Error(`${name} was not read`), { code: 'ENOENT' });
    const content = readFileSync(Buffer.from(name, 'latin1'));
    this.#contents.set(name, content);
    return content;
  }

  /** `ssl_certificate_watch`: these files of one server are read again when one of them changes; full names. */
  watch(names: readonly string[]): void {
    this.#watched.push(names);
  }

  get watched(): readonly (readonly string[])[] {
    return this.#watched;
  }

  contents(): TlsFileContents {
    return Object.fromEntries([...this.#contents].map(([name, content]) => [name, content.toString('base64')]));
  }
}

export const TLS_FILES = new ServiceKey<TlsFiles>('TLS files');
