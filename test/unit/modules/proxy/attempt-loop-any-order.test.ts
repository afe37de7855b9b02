import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProxyError } from '../../../../src/core/errors.ts';
import type { ConnectScript, FakeConnection } from '../../../support/fake-upstream.ts';
import { LOGS, Proxied } from './proxied.ts';

/** What may happen next; left out when it cannot (no connection, nothing read yet). */
const EVENTS = [
  'connected',
  'refused',
  'connect timeout',
  'early hints',
  'head 200',
  'head 503',
  'head 101',
  'head, then redirect',
  'data',
  'response ends',
  'peer closes',
  'peer is silent',
  'peer is malformed',
  'peer is writable',
  'client takes some',
  'client takes all',
  'client aborts',
  'body data',
  'body ends',
  'body fails',
  'tunnel data',
  'tunnel client ends',
  'tunnel peer ends',
  'tunnel client breaks',
] as const;
type Event = (typeof EVENTS)[number];

const CONNECTS: readonly ConnectScript[] = ['ok', 'reused', 'refused', 'timeout', 'pending'];
const RULES = [
  '',
  'proxy_request_buffering off;',
  'proxy_buffering off;',
  'proxy_next_upstream error timeout invalid_header http_503 non_idempotent;',
  'proxy_ignore_client_abort on;',
  'proxy_max_temp_file_size 0; proxy_force_ranges on;',
  'proxy_set_body x; proxy_pass_trailers on; early_hints 1;',
];

const broken = () =>
  new ProxyError('client-aborted', 'client prematurely closed connection', { side: 'client', status: 400 });

class Play {
  readonly #proxied: Proxied;
  readonly #asked: ReturnType<Proxied['ask']>;
  #heads = new Set<FakeConnection>();

  constructor(proxied: Proxied, asked: ReturnType<Proxied['ask']>) {
    this.#proxied = proxied;
    this.#asked = asked;
  }

  get isOver(): boolean {
    return this.#asked.stream.end !== 'open';
  }

  do(event: Event): void {
    const { connections } = this.#proxied;
    const { stream, ex } = this.#asked;
    const lease = connections.leases.at(-1);
    const peer = lease?.end === 'leased' ? lease : undefined;
    const hasHead = peer !== undefined && this.#heads.has(peer);
    const isTunnel = peer?.tunnel !== null && peer?.tunnel !== undefined;
    switch (event) {
      case 'connected':
        return connections.settle?.('ok');
      case 'refused':
        return connections.settle?.('refused');
      case 'connect timeout':
        return connections.settle?.('timeout');
      case 'early hints':
        return hasHead ? undefined : peer?.head(103, ['Link: </a>']);
      case 'head 200':
      case 'head 503':
      case 'head 101':
      case 'head, then redirect':
        if (peer === undefined || hasHead) return;
        this.#heads.add(peer);
        if (event === 'head 101') return peer.head(101, ['Upgrade: x'], 0);
        if (event === 'head, then redirect') return peer.head(200, ['X-Accel-Redirect: /inner'], 100);
        return peer.head(event === 'head 200' ? 200 : 503, ['X-A: a'], 100);
      case 'data':
        return hasHead && !isTunnel && !peer.isPaused ? peer.data('data') : undefined;
      case 'response ends':
        return hasHead && !isTunnel && !peer.isPaused ? peer.finish() : undefined;
      case 'peer closes':
        return isTunnel ? undefined : peer?.fail('premature-close', 'upstream prematurely closed connection');
      case 'peer is silent':
        return isTunnel ? undefined : peer?.fail('read-timeout', 'upstream timed out', 504);
      case 'peer is malformed':
        return hasHead ? undefined : peer?.fail('invalid-response', 'upstream sent invalid header');
      case 'peer is writable':
        return isTunnel ? peer.tunnel?.onTunnelWritable() : peer?.writable();
      case 'client takes some':
        return stream.take(3);
      case 'client takes all':
        return stream.take();
      case 'client aborts':
        if (isTunnel) return stream.tunnel?.onTunnelEnd(broken());
        return ex.content?.onClientAborted();
      case 'body data':
        return stream.isBodyPaused ? undefined : stream.bodySink?.onBodyData(Buffer.from('body'));
      case 'body ends':
      case 'body fails': {
        const sink = stream.bodySink;
        if (stream.isBodyPaused) return;
        stream.bodySink = null;
        return event === 'body ends' ? sink?.onBodyEnd(null) : sink?.onBodyError(broken());
      }
      case 'tunnel data':
        if (isTunnel) peer.tunnel?.onTunnelData(Buffer.from('x'));
        return;
      case 'tunnel client ends':
        return isTunnel ? stream.tunnel?.onTunnelEnd(null) : undefined;
      case 'tunnel peer ends':
        return isTunnel ? peer.tunnel?.onTunnelEnd(null) : undefined;
      case 'tunnel client breaks':
        return isTunnel ? stream.tunnel?.onTunnelEnd(broken()) : undefined;
    }
  }
}

const scenario = fc.record({
  connect: fc.array(fc.constantFrom(...CONNECTS), { maxLength: 4 }),
  rules: fc.constantFrom(...RULES),
  method: fc.constantFrom('GET', 'POST', 'HEAD'),
  length: fc.constantFrom(undefined, 8, -1),
  isUpgrade: fc.boolean(),
  roomBytes: fc.constantFrom(0, 5, Number.POSITIVE_INFINITY),
  events: fc.array(fc.constantFrom(...EVENTS), { maxLength: 14 }),
});

describe('whatever happens in whatever order', () => {
  test('each pick is released once, each connection is given back or closed once, the client gets one end', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ connect, rules, method, length, isUpgrade, roomBytes, events }) => {
        const proxied = new Proxied(
          `${LOGS} upstream u { server 127.0.0.1:1; server 127.0.0.1:2; }
           server { listen 80; location / { proxy_pass http://u; ${rules} }
             location /inner { internal; proxy_pass http://127.0.0.1:3; } }`,
          connect,
        );
        const asked = proxied.ask({ method, isUpgrade, roomBytes, ...(length !== undefined && { length }) });
        const play = new Play(proxied, asked);
        await Promise.resolve();
        for (const event of events) {
          if (play.isOver) break;
          play.do(event);
          await Promise.resolve();
        }
        // Whatever is left is ended by the client: an abort, then (with proxy_ignore_client_abort) the peer's failure.
        const endings: readonly Event[] = [
          'body fails',
          'client aborts',
          'connected',
          'peer closes',
          'client takes all',
        ];
        for (let round = 0; round < 6 && !play.isOver; round++) {
          asked.stream.isBodyPaused = false;
          for (const event of endings) if (!play.isOver) play.do(event);
          await Promise.resolve();
        }
        expect(asked.stream.end).not.toBe('open');
        expect(proxied.active()).toBe(0);
        expect(proxied.connections.leases.filter((lease) => lease.end === 'leased')).toEqual([]);
        expect(proxied.connections.settle).toBeNull();
        expect(proxied.accessLog()).toHaveLength(1);
      }),
      { numRuns: 1500 },
    );
  });
});
