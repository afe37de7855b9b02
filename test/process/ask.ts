import { existsSync } from 'node:fs';
import { poll } from '../support/deadline.ts';
import { statusOf } from '../support/http-message.ts';
import { type ClientAddress, exchange } from '../support/raw-client.ts';
import type { RunningProxy } from '../support/start-proxy.ts';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** One GET on a connection of its own. */
export async function get(to: ClientAddress | number, path = '/'): Promise<Answer> {
  const address = typeof to === 'number' ? { port: to } : to;
  const client = await exchange(address, `GET ${path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n`);
  const [response] = client.responses();
  return { status: statusOf(response?.startLine ?? ''), body: response?.body ?? '' };
}

/** Pids of the workers, as the error log tells: those started and not ended. */
export function workerPids(proxy: RunningProxy): number[] {
  const log = proxy.errorLog();
  const ended = new Set([...log.matchAll(/worker process (\d+) exited/g)].map((match) => match[1]));
  return [...log.matchAll(/start worker process (\d+)/g)]
    .map((match) => match[1])
    .filter((pid) => !ended.has(pid))
    .map(Number);
}

/** Waits for a line of the error log. */
export async function untilLogged(proxy: RunningProxy, pattern: RegExp, deadlineMs = 10_000): Promise<boolean> {
  return (await poll(() => (pattern.test(proxy.errorLog()) ? true : undefined), deadlineMs)) ?? false;
}

export async function untilGone(path: string, deadlineMs = 5000): Promise<boolean> {
  return (await poll(() => (existsSync(path) ? undefined : true), deadlineMs)) ?? false;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // ESRCH: gone
  }
}

/** Polls an asynchronous probe until it answers something. */
export async function until<T>(probe: () => Promise<T | undefined>, deadlineMs = 10_000): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms`);
  }
}
