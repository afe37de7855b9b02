import { createHash } from 'node:crypto';

const MAX_KNOWN = 1000;

/**
 * Passwords that were right lately, by a digest of them and of what the file says, in this worker's memory only: slow hashes are
 * made to take long, and browsers send the password with every request. The oldest goes when there are too many.
 */
export class KnownPasswords {
  readonly #known = new Set<string>();

  has(password: string, stored: string): boolean {
    return this.#known.has(keyOf(password, stored));
  }

  add(password: string, stored: string): void {
    if (this.#known.size >= MAX_KNOWN) {
      for (const oldest of this.#known) {
        this.#known.delete(oldest);
        break;
      }
    }
    this.#known.add(keyOf(password, stored));
  }
}

function keyOf(password: string, stored: string): string {
  return createHash('sha256').update(`${stored}\0${password}`, 'latin1').digest('latin1');
}
