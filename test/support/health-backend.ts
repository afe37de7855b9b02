import { type AddressInfo, createServer, type Socket } from 'node:net';
import { nowMs } from '../../src/core/clock.ts';

/** What a backend says at its health path. `hang`: nothing. */
export type HealthAnswer = 'well' | 'ill' | 'hang';

/** A backend that answers 200 with its name, and something of its own at `/health`. `stop()` it in every case. */
export class HealthBackend {
  readonly name: string;
  readonly #sockets = new Set<Socket>();
  #server = createServer();
  port = 0;
  health: HealthAnswer = 'well';
  /** When each check came, on the `nowMs()` scale. */
  readonly checks: number[] = [];
  /** Requests that were no checks. */
  requests = 0;
  lastHead = '';

  private constructor(name: string) {
    this.name = name;
  }

  static async start(name: string, port = 0): Promise<HealthBackend> {
    const backend = new HealthBackend(name);
    backend.port = port;
    await backend.comeBack();
    return backend;
  }

  /** Listens (again, on the port that it had). */
  async comeBack(): Promise<void> {
    this.#server = createServer((socket) => this.#serve(socket));
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.port, '127.0.0.1', resolve);
    });
    this.port = (this.#server.address() as AddressInfo).port;
  }

  /** Connections are refused from now on. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined); // whoever connected may leave as it likes
    socket.on('data', (data: Buffer) => {
      const head = data.toString('latin1');
      if (head.startsWith('GET /health')) {
        this.checks.push(nowMs());
        this.lastHead = head;
        if (this.health === 'hang') return;
        const status = this.health === 'well' ? '200 OK' : '503 Service Unavailable';
        socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
        return;
      }
      this.requests++;
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${this.name.length}\r\n\r\n${this.name}`);
    });
  }
}
