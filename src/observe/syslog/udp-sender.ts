import { createSocket, type Socket } from 'node:dgram';
import { type DatagramSender, MAX_WAITING_BYTES, type OnLost, whyOf } from './datagram-sender.ts';
import type { SyslogAddress } from './syslog-settings.ts';

/** Datagrams to one UDP port. The socket is connected, so that a port that nobody listens on is heard of. */
export class UdpSender implements DatagramSender {
  readonly #address: SyslogAddress & { readonly kind: 'udp' };
  readonly #onLost: OnLost;
  #socket: Socket | null = null;
  #isConnected = false;
  /** Messages that came before the socket was ready. */
  #early: Buffer[] = [];
  /** Given to the socket, or early. */
  #waitingBytes = 0;
  #isRetired = false;

  constructor(address: SyslogAddress & { readonly kind: 'udp' }, onLost: OnLost) {
    this.#address = address;
    this.#onLost = onLost;
  }

  send(message: Buffer): void {
    if (this.#waitingBytes + message.length > MAX_WAITING_BYTES) {
      this.#onLost('the network does not take them');
      return;
    }
    this.#waitingBytes += message.length;
    const socket = (this.#socket ??= this.#open());
    if (this.#isConnected) this.#sendOn(socket, message);
    else this.#early.push(message);
  }

  retire(): void {
    this.#isRetired = true;
    this.#closeWhenIdle();
  }

  revive(): void {
    this.#isRetired = false;
  }

  #open(): Socket {
    const { host, port, family } = this.#address;
    const socket = createSocket({
      type: family === 6 ? 'udp6' : 'udp4',
      // It is an address already.
      lookup: (_host, _options, callback) => callback(null, host, family),
    });
    socket.unref();
    // Connected: the answer to an earlier message, which nobody listens to.
    socket.on('error', (error) => {
      if (this.#isConnected) this.#onLost(whyOf(error));
      else this.#fail(error);
    });
    socket.on('connect', () => {
      this.#isConnected = true;
      const early = this.#early;
      this.#early = [];
      for (const message of early) this.#sendOn(socket, message);
    });
    socket.connect(port, host);
    return socket;
  }

  #sendOn(socket: Socket, message: Buffer): void {
    socket.send(message, (error) => {
      this.#waitingBytes -= message.length;
      if (error !== null) this.#onLost(whyOf(error));
      this.#closeWhenIdle();
    });
  }

  /** There is no way to it: the next message tries again. */
  #fail(error: Error): void {
    const lost = this.#early;
    this.#early = [];
    this.#waitingBytes = 0;
    this.#close();
    for (let i = 0; i < lost.length; i++) this.#onLost(whyOf(error));
  }

  #closeWhenIdle(): void {
    if (this.#isRetired && this.#waitingBytes === 0) this.#close();
  }

  #close(): void {
    this.#socket?.close();
    this.#socket = null;
    this.#isConnected = false;
  }
}
