/** One way of asking. Everything that differs between scenarios stands here; who answers does not. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly connections: number;
  /** Path that the backend knows: see `backend.ts`. */
  readonly path: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes of request body. 0: none. */
  readonly bodyBytes: number;
  /** How many different paths are asked for, by a number in the query. 1: always the same. */
  readonly distinctPaths: number;
  /** A new connection for every request. */
  readonly isOneShot: boolean;
  /** How the requests come. `tls-resumed` and `tls-full` make a connection each, with a session of the one before and without. */
  readonly transport: 'plain' | 'tls' | 'tls-resumed' | 'tls-full' | 'h2';
}

const PLAIN: Omit<Scenario, 'name' | 'title'> = {
  connections: 64,
  path: '/small',
  method: 'GET',
  headers: {},
  bodyBytes: 0,
  distinctPaths: 1,
  isOneShot: false,
  transport: 'plain',
};

/** About 600 bytes, as a browser sends them. */
const BROWSER_HEADERS = {
  'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36',
  Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
  'Accept-Encoding': 'gzip, deflate, br, zstd',
  'Accept-Language': 'en-GB,en;q=0.9,de;q=0.8',
  'Cache-Control': 'max-age=0',
  'Sec-Fetch-Dest': 'document',
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-Site': 'same-origin',
  'Upgrade-Insecure-Requests': '1',
  Cookie: 'session=8c6976e5b5410415bde908bd4dee15dfb167a9c873fc4bb8a81f6f2ab448a918; theme=dark',
};

/** In the order in which `npm run bench -- all` runs them. The first is the default. */
export const SCENARIOS: readonly Scenario[] = [
  { ...PLAIN, name: 'small-get', title: 'small GET, keep-alive, 64 connections' },
  {
    ...PLAIN,
    name: 'browser-heads',
    title: 'small GET, 600-byte browser head, 20,000 distinct paths',
    headers: BROWSER_HEADERS,
    distinctPaths: 20_000,
  },
  { ...PLAIN, name: 'many-connections', title: 'small GET, 1,000 connections', connections: 1000 },
  { ...PLAIN, name: 'post-1k', title: 'POST of 1 KB', method: 'POST', bodyBytes: 1024 },
  { ...PLAIN, name: 'get-16k', title: 'GET of 16 KB', path: '/16k' },
  { ...PLAIN, name: 'get-256k', title: 'GET of 256 KB', path: '/256k' },
  { ...PLAIN, name: 'get-4m', title: 'GET of 4 MB, 16 connections', path: '/4m', connections: 16 },
  { ...PLAIN, name: 'new-connection', title: 'small GET, a new connection each', isOneShot: true },
  {
    ...PLAIN,
    name: 'gzip',
    title: 'GET of 16 KB of JSON, compressed on the way',
    path: '/gzip/json',
    headers: { 'Accept-Encoding': 'gzip' },
  },
  { ...PLAIN, name: 'tls', title: 'small GET over TLS, keep-alive', transport: 'tls' },
  {
    ...PLAIN,
    name: 'tls-resumed',
    title: 'small GET, a new TLS connection each, session resumed',
    transport: 'tls-resumed',
    connections: 16,
  },
  {
    ...PLAIN,
    name: 'tls-full',
    title: 'small GET, a new TLS connection each, full handshake',
    transport: 'tls-full',
    connections: 16,
  },
  {
    ...PLAIN,
    name: 'h2',
    title: 'small GET over HTTP/2, 100 streams on each of 10 connections',
    transport: 'h2',
    connections: 10,
  },
];

/** Whether it asks for nothing but what every proxy does. */
export function isPlain({ transport, name }: Scenario): boolean {
  return transport === 'plain' && name !== 'gzip';
}
