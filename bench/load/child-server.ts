import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** A server program that the benchmark started. */
export interface ChildServer {
  readonly pid: number;
  /** Ends it and waits for its end: TERM, then KILL after three seconds. */
  stop(): Promise<void>;
}

/** `count` TCP ports of 127.0.0.1 that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const holders = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(holders.map((holder) => once(holder, 'listening')));
  const ports = holders.map((holder) => {
    const address = holder.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(holders.map((holder) => once(holder.close(), 'close')));
  return ports;
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(500) });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false; // not up yet
  }
}

/** Starts a program and waits until `url` answers 200. Throws with the program's last words if it does not within eight seconds. */
export async function startServer(command: string, args: readonly string[], url: string): Promise<ChildServer> {
  const child: ChildProcess = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let words = '';
  let hasEnded = false;
  const ended = new Promise<void>((resolve) => {
    const end = (reason: string): void => {
      words += reason;
      hasEnded = true;
      resolve();
    };
    child.once('error', (error) => end(error.message));
    child.once('exit', (code, signal) => end(`(ended: ${signal ?? code})`));
  });
  const listen = (chunk: Buffer): void => {
    words = `${words}${chunk}`.slice(-2000);
  };
  child.stdout?.on('data', listen);
  child.stderr?.on('data', listen);

  const stop = async (): Promise<void> => {
    if (hasEnded) return;
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), 3000);
    await ended;
    clearTimeout(killer);
  };
  for (let tries = 0; tries < 80 && !hasEnded; tries++) {
    if (await answers(url)) return { pid: child.pid ?? 0, stop };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await stop();
  const lines = words.trim().split('\n');
  throw new Error(
    lines.find((line) => /\b(error|emerg)\b/i.test(line)) ?? (lines.at(-1) || 'it did not answer within 8 s'),
  );
}
