import { X509Certificate } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { encodeRequest } from '../../../src/net/ocsp/certificate-id.ts';
import type { Staple, StapleJob } from '../../../src/net/ocsp/staple-plan.ts';
import { Stapler } from '../../../src/process/stapler.ts';
import { makeCertificate } from '../../support/certificates.ts';
import { type OcspKnowledge, ocspAnswer } from '../../support/ocsp-responder.ts';

const CA = makeCertificate('CA', { isCa: true });
const SITE = makeCertificate('site', { issuer: CA, serial: '42' });
const REQUEST = encodeRequest(new X509Certificate(SITE.cert), new X509Certificate(CA.cert));
const knowledge: OcspKnowledge = { ca: CA, signer: CA, good: [SITE] };
const GOOD = ocspAnswer(knowledge, REQUEST, ['-ndays', '1']);
const SHORT = ocspAnswer(knowledge, REQUEST, ['-nmin', '20']);
const REVOKED = ocspAnswer({ ...knowledge, good: [], revoked: [SITE] }, REQUEST, ['-ndays', '1']);

const job = (key = 'k'): StapleJob => ({
  key,
  certificate: SITE.cert,
  issuer: CA.cert,
  trusted: [],
  verifiesSigner: true,
  responder: 'http://ocsp.example/',
  file: 'c.pem',
});

const MINUTE_MS = 60_000;
let answers: (Buffer | Error)[] = [];
let asked = 0;
let told: Staple[] = [];
let log: string[] = [];
let stapler: Stapler;

beforeEach(() => {
  vi.useFakeTimers();
  answers = [];
  asked = 0;
  told = [];
  log = [];
  stapler = new Stapler({
    log: { isEnabled: () => true, write: (level, text) => void log.push(`${level}: ${text}`) },
    onStaple: (staple) => told.push(staple),
    wallMs: () => Date.now(),
    fetch: async () => {
      asked++;
      const answer = answers.shift() ?? new Error('no more');
      if (answer instanceof Error) throw answer;
      return answer;
    },
  });
});

afterEach(() => {
  stapler.stop();
  vi.useRealTimers();
});

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

test('asked at once, and again in an hour', async () => {
  answers = [GOOD, GOOD];
  stapler.follow([job()]);
  await pass(0);
  expect(told).toHaveLength(1);
  expect(stapler.staples).toEqual(told);
  await pass(59 * MINUTE_MS);
  expect(asked).toBe(1);
  await pass(2 * MINUTE_MS);
  expect(asked).toBe(2);
  expect(log).toEqual([]);
});

test('a short response is asked for again before it ends', async () => {
  answers = [SHORT, GOOD];
  stapler.follow([job()]);
  await pass(0);
  await pass(16 * MINUTE_MS);
  expect(asked).toBe(2);
  expect(told).toHaveLength(2);
});

test('a responder that fails is asked later and later, with one warning each time; what there is stays', async () => {
  answers = [GOOD, ...Array.from({ length: 8 }, () => new Error('it is down'))];
  stapler.follow([job()]);
  await pass(0);
  await pass(60 * MINUTE_MS);
  expect(log).toEqual([
    'warn: it is down while requesting certificate status, responder: ocsp.example, certificate: "c.pem"',
  ]);
  for (const seconds of [10, 20, 40, 80, 160, 300, 300]) {
    const before = asked;
    await pass(seconds * 1000 - 1);
    expect(asked).toBe(before);
    await pass(1);
    expect(asked).toBe(before + 1);
  }
  expect(told).toHaveLength(1);
});

test('once it is revoked, nobody is told that it is good any more', async () => {
  answers = [GOOD, REVOKED, GOOD];
  stapler.follow([job()]);
  await pass(0);
  await pass(60 * MINUTE_MS);
  expect(told.at(-1)).toEqual({ key: 'k', response: null, untilMs: null });
  expect(stapler.staples).toEqual([]);
  await pass(10_000);
  expect(told.at(-1)?.response).not.toBeNull();
});

test('a reload keeps what it still wants, drops the rest, and asks for what is new', async () => {
  answers = [GOOD, GOOD];
  stapler.follow([job('a')]);
  await pass(0);
  stapler.follow([job('a'), job('b')]);
  await pass(0);
  expect(asked).toBe(2);
  stapler.follow([job('b')]);
  expect(told.at(-1)).toEqual({ key: 'a', response: null, untilMs: null });
  expect(stapler.staples.map(({ key }) => key)).toEqual(['b']);
  stapler.stop();
  await pass(100 * MINUTE_MS);
  expect(asked).toBe(2);
});

test('of many certificates four are asked about at a time', async () => {
  const waiting: (() => void)[] = [];
  const many = new Stapler({
    log: { isEnabled: () => true, write: () => undefined },
    onStaple: () => undefined,
    wallMs: () => Date.now(),
    fetch: () => new Promise((_, reject) => waiting.push(() => reject(new Error('x')))),
  });
  many.follow(Array.from({ length: 10 }, (_, i) => job(String(i))));
  expect(waiting).toHaveLength(4);
  waiting[0]?.();
  await pass(0);
  expect(waiting).toHaveLength(5);
  many.stop();
});
