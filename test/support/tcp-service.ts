import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** A server that says something to who connects, and something to each piece of data. */
export class TcpService {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(onData: (socket: Socket, data: string) => void, greeting: string) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => undefined); // who connected may leave as it likes
      if (greeting !== '') socket.write(greeting);
      socket.on('data', (data: Buffer) => onData(socket, data.toString('latin1')));
    });
  }

  static async start(onData: (socket: Socket, data: string) => void, greeting = ''): Promise<TcpService> {
    const service = new TcpService(onData, greeting);
    await new Promise<void>((resolve) => service.#server.listen(0, '127.0.0.1', resolve));
    return service;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
