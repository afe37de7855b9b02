import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { acceptFast } from './fast-wire.ts';
import type { ListenHandle } from './listen-address.ts';
import { readByEvents, SocketWire } from './socket-wire.ts';
import type { Wire } from './wire.ts';

export interface AcceptorEvents {
  /** Asked at each connection: true, and it comes by `onSocket`. */
  isTls(): boolean;
  /** A client of a TLS address; nothing of it was read yet. */
  onSocket(socket: Socket): void;
  /** A client connected. Set `wire.sink` before returning. */
  onWire(wire: Wire): void;
  /** accept(2) failed (EMFILE, ECONNABORTED, …): a negative errno of libuv's. */
  onAcceptError(errno: number): void;
}

interface RelistenableHandle {
  listen(backlog: number): number;
}

/** One listening address of this process: hands each accepted connection over as a Wire. */
export class Acceptor {
  readonly #server: Server;
  readonly #events: AcceptorEvents;
  readonly #isFast: boolean;

  /** `isFast`: use the fast layer (see fast-wire.ts); only where `fastLayerWorks()` said so. */
  constructor(events: AcceptorEvents, isFast: boolean) {
    this.#events = events;
    this.#isFast = isFast;
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: false }, (socket) => {
      if (this.#events.isTls()) return this.#events.onSocket(socket);
      const wire = new SocketWire(socket);
      this.#events.onWire(wire);
      readByEvents(socket, wire);
    });
  }

  /**
   * Resolves when connections can be made; rejects with Node's error (`code` EADDRINUSE …).
   * `backlog` is for a bound handle; options have their own.
   */
  listen(options: ListenOptions | ListenHandle, backlog?: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.once('listening', () => {
        this.#server.removeListener('error', reject);
        this.#server.on('error', () => this.#events.onAcceptError(0));
        if (this.#isFast) {
          acceptFast(
            this.#server,
            (wire) => this.#events.onWire(wire),
            (errno) => this.#events.onAcceptError(errno),
            this.#events,
          );
        }
        resolve();
      });
      this.#server.listen(options, backlog);
    });
  }

  /** Changes the `backlog` of the socket on which it listens: listen(2) again, which only does that. */
  setBacklog(backlog: number): void {
    (this.#server as unknown as { readonly _handle: RelistenableHandle | null })._handle?.listen(backlog);
  }

  /** Port that was bound; 0 for a unix socket. */
  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  }

  /** Accepts no more; connections made so far go on. */
  close(): void {
    this.#server.close();
  }
}
