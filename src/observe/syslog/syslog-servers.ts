import { hostname } from 'node:os';
import { nowMs } from '../../core/clock.ts';
import type { LogTarget } from '../log-target.ts';
import type { DatagramSender } from './datagram-sender.ts';
import { syslogLine } from './syslog-line.ts';
import { type SyslogAddress, type SyslogSettings, syslogAddressText } from './syslog-settings.ts';
import { UdpSender } from './udp-sender.ts';
import { UnixSender } from './unix-sender.ts';

/** A server that loses lines is spoken of once in so long. */
const REPORT_MS = 60_000;

/**
 * The syslog servers of this process, one socket each however many logs name it. Opened with the first line. What is lost is counted and
 * told, now and then, never waited for.
 */
export class SyslogServers {
  readonly #senders = new Map<string, DatagramSender>();
  #current = new Set<DatagramSender>();
  #next: Set<DatagramSender> | null = null;
  readonly #hostname = hostname().toLowerCase();
  /** Hears of trouble; a line for the error log. */
  onTrouble: (text: string) => void = () => undefined;

  /** A log of this server. */
  open(settings: SyslogSettings): LogTarget {
    const name = syslogAddressText(settings.address);
    let sender = this.#senders.get(name);
    if (sender === undefined) this.#senders.set(name, (sender = this.#make(settings.address, name)));
    else sender.revive();
    (this.#next ?? this.#current).add(sender);
    const to = sender;
    return {
      write: (line, severity = settings.severity) =>
        to.send(Buffer.from(syslogLine(settings, severity, this.#hostname, line), 'latin1')),
      flush: () => undefined,
    };
  }

  begin(): void {
    this.#next = new Set();
  }

  commit(): void {
    const next = this.#next ?? this.#current;
    for (const sender of this.#current) if (!next.has(sender)) sender.retire();
    this.#current = next;
    this.#next = null;
  }

  abandon(): void {
    for (const sender of this.#next ?? []) if (!this.#current.has(sender)) sender.retire();
    this.#next = null;
  }

  #make(address: SyslogAddress, name: string): DatagramSender {
    let lost = 0;
    let reportsAtMs = Number.NEGATIVE_INFINITY;
    const onLost = (why: string): void => {
      lost++;
      const now = nowMs();
      if (now < reportsAtMs) return;
      reportsAtMs = now + REPORT_MS;
      const count = lost;
      lost = 0;
      this.onTrouble(`send() failed (${why}) while logging to syslog, server: ${name}, lines lost: ${count}`);
    };
    return address.kind === 'udp' ? new UdpSender(address, onLost) : new UnixSender(address.path, onLost);
  }
}
