import { stat } from 'node:fs/promises';

export interface FileWatchInit {
  /** Called with the files that have changed and lie still again. */
  readonly onChange: (changed: readonly string[]) => void;
  /** Between two looks. */
  readonly everyMs: number;
}

interface Seen {
  /** At the last look. */
  latest: string;
  /** That of which `onChange` was told. */
  told: string;
}

/**
 * Looks at files again and again. Not by inotify: that follows neither symbolic links that are exchanged (certbot; Kubernetes' `..data`) nor
 * files of a network, and tells of a file while it is still written. A change is told when two looks have seen the same; the first look at
 * a file tells of it too, since what is in force may have been read before.
 */
export class FileWatch {
  readonly #init: FileWatchInit;
  #files = new Map<string, Seen>();
  #timer: NodeJS.Timeout | null = null;
  #isStopped = false;

  constructor(init: FileWatchInit) {
    this.#init = init;
  }

  /** Looks at these from now on: full names, byte strings. */
  follow(files: readonly string[]): void {
    this.#files = new Map(files.map((file) => [file, { latest: '', told: '' }]));
    if (this.#files.size > 0) this.#later();
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #later(): void {
    if (this.#timer !== null || this.#isStopped) return;
    this.#timer = setTimeout(() => void this.#look(), this.#init.everyMs).unref();
  }

  async #look(): Promise<void> {
    const files = this.#files;
    const marks = await Promise.all([...files.keys()].map(markOf));
    this.#timer = null;
    if (this.#isStopped) return;
    if (files === this.#files) {
      const changed = [...files].filter(([, seen], i) => isSettled(seen, marks[i] ?? ''));
      if (changed.length > 0) this.#init.onChange(changed.map(([file]) => file));
    }
    if (this.#files.size > 0) this.#later();
  }
}

function isSettled(seen: Seen, mark: string): boolean {
  const isStill = mark === seen.latest;
  seen.latest = mark;
  if (!isStill || mark === seen.told) return false;
  seen.told = mark;
  return true;
}

/** Differs when the file, or what a link leads to, is another one or was written. Never rejects. */
async function markOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(Buffer.from(file, 'latin1'), { bigint: true });
    return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code); // gone, or not ours to see: a state like any other
  }
}
