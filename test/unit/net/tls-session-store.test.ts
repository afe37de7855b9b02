import { describe, expect, test } from 'vitest';
import { SessionArbiter } from '../../../src/net/tls-sessions/session-arbiter.ts';
import type { SessionPrimaryMessage } from '../../../src/net/tls-sessions/session-message.ts';
import { SessionPort } from '../../../src/net/tls-sessions/session-port.ts';
import { SessionStore } from '../../../src/net/tls-sessions/session-store.ts';

describe('store', () => {
  test('a session is there until it is over', () => {
    const store = new SessionStore(10_000);
    store.keep('a', 'A', 100, 0);
    expect(store.find('a', 99)).toBe('A');
    expect(store.find('a', 100)).toBeNull();
    expect(store.size).toBe(0);
    expect(store.bytes).toBe(0);
  });

  test('the oldest goes when there is no room, used or not', () => {
    const store = new SessionStore(3 * 202);
    for (const id of ['a', 'b', 'c']) store.keep(id, id, 100, 0);
    store.find('a', 1);
    store.keep('d', 'd', 100, 1);
    expect(['a', 'b', 'c', 'd'].map((id) => store.find(id, 1))).toEqual([null, 'b', 'c', 'd']);
  });

  test('it never holds more than its room, whatever comes', () => {
    const store = new SessionStore(32_768);
    for (let i = 0; i < 5000; i++) {
      store.keep(`id ${i}`, 'x'.repeat((i * 37) % 3000), i + 1000, i);
      expect(store.bytes).toBeLessThanOrEqual(32_768);
    }
    store.keep('huge', 'x'.repeat(40_000), 10_000, 5000);
    expect(store.find('huge', 5000)).toBeNull();
    expect(store.size).toBeGreaterThan(0);
  });

  test('what is over goes first, two at a time', () => {
    const store = new SessionStore(1_000_000);
    for (let i = 0; i < 10; i++) store.keep(`${i}`, 's', 100, 0);
    store.keep('x', 's', 300, 200);
    expect(store.size).toBe(9);
  });

  test('a count, and a smaller room', () => {
    const store = new SessionStore(1_000_000, 2);
    for (const id of ['a', 'b', 'c']) store.keep(id, id, 100, 0);
    expect(store.size).toBe(2);
    store.resize(202);
    expect(store.find('c', 0)).toBe('c');
    expect(store.size).toBe(1);
  });
});

describe('port and arbiter', () => {
  interface Setting {
    readonly ports: readonly SessionPort[];
    readonly arbiter: SessionArbiter;
    readonly late: (() => void)[];
    readonly soon: (() => void)[];
    /** What worker 1 has to say and is not read yet. */
    readonly unread: (() => void)[];
  }

  function set(isSlow = false): Setting {
    const late: (() => void)[] = [];
    const soon: (() => void)[] = [];
    const unread: (() => void)[] = [];
    const ports: SessionPort[] = [];
    const arbiter = new SessionArbiter({
      send: (worker: number, message: SessionPrimaryMessage) => ports[worker]?.receive(message),
      now: () => 0,
      soon: (answer) => soon.push(answer),
    });
    arbiter.open([{ name: 'S', bytes: 100_000 }]);
    for (const worker of [0, 1]) {
      ports.push(
        new SessionPort({
          send: (message) => {
            const deliver = () => arbiter.receive(worker, message);
            if (worker === 0 && isSlow) unread.push(deliver);
            else deliver();
          },
          later: (check) => late.push(check),
        }),
      );
    }
    return { ports, arbiter, late, soon, unread };
  }

  function ask({ ports }: Setting, zone = 'S'): (string | null | undefined)[] {
    const found: (string | null)[] = [];
    ports[1]?.find(zone, 'id', (session) => found.push(session?.toString() ?? null));
    return found;
  }

  test('one worker keeps it, another finds it', () => {
    const setting = set();
    setting.ports[0]?.keep('S', 'id', Buffer.from('session'), 1000);
    expect(ask(setting)).toEqual(['session']);
  });

  test('a question that overtakes the session waits for it', () => {
    const setting = set(true);
    setting.ports[0]?.keep('S', 'id', Buffer.from('session'), 1000);
    const found = ask(setting);
    expect(found).toEqual([]);
    for (const deliver of setting.unread) deliver();
    for (const answer of setting.soon) answer();
    expect(found).toEqual(['session']);
  });

  test('nobody has it, and no such zone', () => {
    const setting = set();
    const found = [ask(setting), ask(setting, 'other')];
    for (const answer of setting.soon) answer();
    expect(found).toEqual([[null], [null]]);
  });

  test('without an answer the handshake goes on', () => {
    const found: unknown[] = [];
    const late: (() => void)[] = [];
    const port = new SessionPort({ send: () => undefined, later: (check) => late.push(check) });
    port.find('S', 'id', (session) => found.push(session));
    late[0]?.();
    expect(found).toEqual([null]);
    port.receive({ kind: 'session-answer', query: 1, session: 'AAAA' });
    expect(found).toHaveLength(1);
    expect(late).toHaveLength(1);
  });

  test('a reload keeps the sessions of zones that stay', () => {
    const setting = set();
    setting.ports[0]?.keep('S', 'id', Buffer.from('session'), 1000);
    setting.arbiter.open([
      { name: 'S', bytes: 50_000 },
      { name: 'T', bytes: 50_000 },
    ]);
    expect(ask(setting)).toEqual(['session']);
    setting.arbiter.open([]);
    const found = ask(setting);
    for (const answer of setting.soon) answer();
    expect(found).toEqual([null]);
  });
});
