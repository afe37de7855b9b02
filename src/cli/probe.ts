import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { strerror } from '../core/strerror.ts';
import { writeStderr } from '../observe/stderr.ts';
import { once, parseSpan, readCheckFlags } from './check-flags.ts';
import { planChecks } from './check-plan.ts';
import { readVariables } from './check-variables.ts';
import { endSignal } from './end-signal.ts';
import { lookAtStack } from './look.ts';
import { DEFAULT_INTERVAL, DEFAULT_LISTEN } from './probe-command-flags.ts';
import { ProbeMetrics } from './probe-metrics.ts';
import { UsageError } from './usage-error.ts';

/** /healthz fails when no round was whole for so many intervals. */
const STALE_INTERVALS = 3;

/** `evenkeel probe`: looks again and again until SIGTERM or SIGINT. Resolves the exit code. */
export async function probe(argv: Readonly<Record<string, unknown>>): Promise<number> {
  const variables = readVariables(process.env, once('env-file', argv['envFile']));
  const flags = readCheckFlags(argv, variables);
  const plan = planChecks(flags, variables);
  const listen = readListen(once('listen', argv['listen']) ?? variables['EVENKEEL_LISTEN'] ?? DEFAULT_LISTEN);
  const everyMs = readInterval(
    once('interval', argv['interval']) ?? variables['EVENKEEL_INTERVAL'] ?? DEFAULT_INTERVAL,
  );
  for (const note of plan.notes) writeStderr(`evenkeel: ${note}\n`);
  const end = endSignal();
  const metrics = new ProbeMetrics();
  // A round takes as long as the slowest check, so the age of a whole one may come close to both.
  const staleMs = STALE_INTERVALS * everyMs + flags.timeoutMs;
  const server = await listenOn(listen, (request, response) => answer(request, response, metrics, staleMs));
  if (server === null) return 1;
  while (!end.aborted) {
    const look = await lookAtStack(plan, flags, end);
    if (end.aborted) break;
    metrics.take(look);
    await sleep(Math.max(0, everyMs - look.durationMs), undefined, { signal: end }).catch(() => undefined); // the end
  }
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  return 0;
}

function answer(request: IncomingMessage, response: ServerResponse, metrics: ProbeMetrics, staleMs: number): void {
  const send = (status: number, text: string, type = 'text/plain; charset=utf-8'): void => {
    // A connection is not kept: nobody scrapes so often, and the end need not wait for it.
    response.writeHead(status, {
      'Content-Type': type,
      Connection: 'close',
      ...(status === 405 ? { Allow: 'GET, HEAD' } : {}),
    });
    response.end(request.method === 'HEAD' ? '' : text);
  };
  const path = (request.url ?? '').split('?')[0];
  if (request.method !== 'GET' && request.method !== 'HEAD') return send(405, 'GET or HEAD\n');
  switch (path) {
    case '/metrics':
      metrics.text().then(
        (text) => send(200, text, metrics.contentType),
        () => send(500, 'the metrics could not be written\n'),
      );
      return;
    case '/healthz': {
      const { ageMs } = metrics;
      if (ageMs === null) return send(503, 'the first round is not over yet\n');
      return ageMs > staleMs ? send(503, `the last round ended ${Math.round(ageMs)} ms ago\n`) : send(200, 'ok\n');
    }
    case '/':
      return send(200, 'evenkeel probe: /metrics, /healthz\n');
    default:
      return send(404, 'there are /metrics and /healthz\n');
  }
}

interface ListenPlace {
  readonly text: string;
  readonly port: number;
  /** Undefined: every address of this machine. */
  readonly host: string | undefined;
}

/** Null, and said so: it can't be opened. */
function listenOn(
  place: ListenPlace,
  onRequest: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Server | null> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, onRequest);
  server.maxConnections = 100;
  return new Promise((resolve) => {
    server.once('error', ({ code = '' }: NodeJS.ErrnoException) => {
      writeStderr(`evenkeel: --listen ${place.text}: ${strerror(code).replace(/^[0-9]+: /, '')}\n`);
      resolve(null);
    });
    server.listen({ port: place.port, ...(place.host === undefined ? {} : { host: place.host }) }, () => {
      const { address, port } = server.address() as AddressInfo;
      const host = address.includes(':') ? `[${address}]` : address;
      writeStderr(`evenkeel: metrics at http://${host}:${port}/metrics\n`);
      resolve(server);
    });
  });
}

function readListen(text: string): ListenPlace {
  const match = /^(?:(\[[0-9A-Fa-f:.]+\]|[^:\s]*):)?([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[2] ?? -1);
  if (match === null || port > 65_535) throw new UsageError(`--listen ${text}: write PORT, :PORT or ADDRESS:PORT`);
  const host = (match[1] ?? '').replace(/^\[|\]$/g, '');
  return { text, port, host: host === '' || host === '*' ? undefined : host };
}

function readInterval(text: string): number {
  const everyMs = parseSpan(text);
  if (everyMs === null) throw new UsageError(`--interval ${text}: a time from 1ms: 500ms, 10s, 1m`);
  return everyMs;
}
