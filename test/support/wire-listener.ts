import type { WireSink } from '../../src/net/wire.ts';

/** Everything a sink hears, and a way to wait for it. */
export class WireListener implements WireSink {
  text = '';
  readonly events: string[] = [];
  #wake: (() => void) | null = null;
  onBytes(buffer: Buffer, length: number): void {
    this.text += buffer.toString('latin1', 0, length);
    this.told();
  }
  onFin(): void {
    this.#note('fin');
  }
  onDrain(): void {
    this.#note('drain');
  }
  onClose(error: Error | null): void {
    this.#note(`close ${error === null ? 'well' : (error as NodeJS.ErrnoException).code}`);
  }
  async until(isSo: (listener: this) => boolean): Promise<void> {
    while (!isSo(this)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
  #note(event: string): void {
    this.events.push(event);
    this.told();
  }
  told(): void {
    this.#wake?.();
  }
}
