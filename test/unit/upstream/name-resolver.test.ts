import { describe, expect, it } from 'vitest';
import type { Deadlined, Deadlines } from '../../../src/core/deadlines.ts';
import type { NameAnswer, NameFailure, NameQuery } from '../../../src/upstream/name-query.ts';
import { NameResolver } from '../../../src/upstream/name-resolver.ts';
import type { NameServers } from '../../../src/upstream/name-servers.ts';

const CONF: NameServers = { servers: ['127.0.0.1:53'], validMs: null, wantsIpv4: true, wantsIpv6: true };
const ONE: NameAnswer = { addresses: [{ host: '10.0.0.1', family: 4 }], ttlMs: 5000 };
const FAILED: NameFailure = { code: 2, words: 'Server failure' };

/** Questions as they came; each is answered by hand. */
class Site {
  atMs = 1000;
  readonly asked: {
    name: string;
    turn: number;
    isCancelled: boolean;
    answer: (found: NameAnswer | NameFailure) => void;
  }[] = [];
  readonly resolver: NameResolver;
  readonly waiting = new Set<Deadlined>();

  constructor(conf: Partial<NameServers> = {}) {
    const deadlines = {
      set: (item: Deadlined, atMs: number) => {
        item.deadlineAtMs = atMs;
        this.waiting.add(item);
      },
      remove: (item: Deadlined) => this.waiting.delete(item),
    } as unknown as Deadlines;
    this.resolver = new NameResolver({
      conf: { ...CONF, ...conf },
      deadlines,
      now: () => this.atMs,
      ask: (name, _conf, turn): NameQuery => {
        const { promise, resolve } = Promise.withResolvers<NameAnswer | NameFailure>();
        const one = { name, turn, isCancelled: false, answer: resolve };
        this.asked.push(one);
        return { result: promise, cancel: () => void (one.isCancelled = true) };
      },
    });
  }

  pass(ms: number): void {
    this.atMs += ms;
    for (const item of [...this.waiting]) if (item.deadlineAtMs <= this.atMs) item.onDeadline();
  }

  /** What the waiter heard, in `heard`. */
  resolve(name: string, timeoutMs = 30_000): { heard: string[]; cancel: (() => void) | null } {
    const heard: string[] = [];
    const waiting = this.resolver.resolve(name, timeoutMs, {
      onResolved: (addresses) => heard.push(addresses.map(({ host }) => host).join()),
      onUnresolved: ({ code, words }) => heard.push(`${code}: ${words}`),
    });
    return { heard, cancel: waiting === null ? null : () => waiting.cancel() };
  }

  async answer(index: number, found: NameAnswer | NameFailure): Promise<void> {
    this.asked[index]?.answer(found);
    await new Promise(setImmediate);
  }
}

describe('NameResolver', () => {
  it('asks once for all who wait', async () => {
    const site = new Site();
    const all = [site.resolve('a.test'), site.resolve('A.Test'), site.resolve('a.test.')];
    expect(site.asked.map((one) => one.name)).toEqual(['a.test']);
    await site.answer(0, ONE);
    expect(all.map((one) => one.heard)).toEqual([['10.0.0.1'], ['10.0.0.1'], ['10.0.0.1']]);
    expect(site.waiting.size).toBe(0);
  });

  it('keeps an answer as long as its TTL says, and answers at once', async () => {
    const site = new Site();
    site.resolve('a.test');
    await site.answer(0, ONE);
    site.pass(4999);
    const kept = site.resolve('a.test');
    expect(kept).toEqual({ heard: ['10.0.0.1'], cancel: null });
    site.pass(1);
    expect(site.resolve('a.test').heard).toEqual([]);
    expect(site.asked.length).toBe(2);
  });

  it('valid= overrides the TTL', async () => {
    const site = new Site({ validMs: 60_000 });
    site.resolve('a.test');
    await site.answer(0, ONE);
    site.pass(59_999);
    expect(site.resolve('a.test').heard).toEqual(['10.0.0.1']);
    site.pass(1);
    expect(site.resolve('a.test').heard).toEqual([]);
  });

  it('keeps nothing whose TTL is 0', async () => {
    const site = new Site();
    site.resolve('a.test');
    await site.answer(0, { ...ONE, ttlMs: 0 });
    expect(site.resolve('a.test').heard).toEqual([]);
  });

  it('keeps no failure', async () => {
    const site = new Site();
    const first = site.resolve('a.test');
    await site.answer(0, FAILED);
    expect(first.heard).toEqual(['2: Server failure']);
    const again = site.resolve('a.test');
    await site.answer(1, ONE);
    expect(again.heard).toEqual(['10.0.0.1']);
  });

  it('who waited too long is told so; the question goes on for the others, and ends with the last of them', () => {
    const site = new Site();
    const hasty = site.resolve('a.test', 100);
    const patient = site.resolve('a.test', 1000);
    site.pass(100);
    expect([hasty.heard, patient.heard]).toEqual([['110: Operation timed out'], []]);
    expect(site.asked[0]?.isCancelled).toBe(false);
    site.pass(900);
    expect(patient.heard).toEqual(['110: Operation timed out']);
    expect(site.asked[0]?.isCancelled).toBe(true);
  });

  it('who gives up hears nothing; with the last one the question ends, and the next one asks anew', async () => {
    const site = new Site();
    const one = site.resolve('a.test');
    one.cancel?.();
    one.cancel?.();
    expect(site.asked[0]?.isCancelled).toBe(true);
    const next = site.resolve('a.test');
    await site.answer(0, FAILED);
    expect(next.heard).toEqual([]);
    await site.answer(1, ONE);
    expect([one.heard, next.heard]).toEqual([[], ['10.0.0.1']]);
    expect(site.waiting.size).toBe(0);
  });

  it('one who is called may cancel another', async () => {
    const site = new Site();
    const heard: string[] = [];
    let second: { cancel(): void } | null = null;
    site.resolver.resolve('a.test', 0, {
      onResolved: () => {
        heard.push('first');
        second?.cancel();
      },
      onUnresolved: () => undefined,
    });
    second = site.resolver.resolve('a.test', 0, {
      onResolved: () => heard.push('second'),
      onUnresolved: () => undefined,
    });
    await site.answer(0, ONE);
    expect(heard).toEqual(['first']);
  });

  it.each(['', '.', 'a..b', '.a', 'x'.repeat(64), `${'x.'.repeat(127)}xx`, 'a b', 'a\\.b', 'a\0', 'h\xe4'])(
    'asks nobody for %j',
    (name) => {
      const site = new Site();
      expect(site.resolve(name)).toEqual({ heard: ['3: Host not found'], cancel: null });
      expect(site.asked).toEqual([]);
    },
  );

  it('begins each question at another server', () => {
    const site = new Site();
    for (const name of ['a.test', 'b.test', 'c.test']) site.resolve(name);
    expect(site.asked.map((one) => one.turn)).toEqual([0, 1, 2]);
  });

  it('holds no more than a thousand answers: those that were used last', async () => {
    const site = new Site();
    for (let i = 0; i < 1001; i++) {
      site.resolve(`n${i}.test`);
      await site.answer(i, ONE);
      if (i < 1000) site.resolve('n0.test');
    }
    expect(site.resolve('n0.test').heard).toEqual(['10.0.0.1']);
    expect(site.resolve('n1.test').heard).toEqual([]);
    expect(site.resolve('n1000.test').heard).toEqual(['10.0.0.1']);
  });

  it('asks for no more than 500 names at once', async () => {
    const site = new Site();
    for (let i = 0; i < 500; i++) site.resolve(`n${i}.test`);
    expect(site.resolve('one-more.test')).toEqual({
      heard: ['2: more than 500 names are being resolved'],
      cancel: null,
    });
    expect(site.resolve('n7.test').heard).toEqual([]);
    await site.answer(0, ONE);
    expect(site.resolve('one-more.test').heard).toEqual([]);
    expect(site.asked.length).toBe(501);
  });
});
