// A load generator: TLS connections, one after the other on each of N lanes, each for one GET. wrk can't resume a session.
// Usage: node tls-clients.ts PORT PATH CONNECTIONS SECONDS full|resumed
// Prints one line of JSON: what load-generator.ts calls a LoadResult, and how many connections were resumed.
import { connect, type TLSSocket } from 'node:tls';

const [port = '', path = '/', lanes = '1', seconds = '1', kind = 'full'] = process.argv.slice(2);
const isResuming = kind === 'resumed';
const request = `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
const startedAt = performance.now();
const endsAt = startedAt + Number(seconds) * 1000;
const micros: number[] = [];
let errors = 0;
let resumed = 0;
let running = Number(lanes);

/** The newest session that the server gave this lane; offered with the next connection. */
function runLane(session: Buffer | undefined): void {
  if (performance.now() >= endsAt) {
    if (--running === 0) report();
    return;
  }
  const begunAt = performance.now();
  let next = session;
  let head = '';
  let isOver = false;
  const socket: TLSSocket = connect({
    host: '127.0.0.1',
    port: Number(port),
    servername: 'localhost',
    rejectUnauthorized: false,
    ...(isResuming && session !== undefined ? { session } : {}),
  });
  const end = (isGood: boolean): void => {
    if (isOver) return;
    isOver = true;
    if (isGood) micros.push((performance.now() - begunAt) * 1000);
    else errors++;
    socket.destroy();
    runLane(next);
  };
  socket.on('secureConnect', () => {
    if (socket.isSessionReused()) resumed++;
    socket.write(request);
  });
  socket.on('session', (bytes: Buffer) => {
    next = bytes;
  });
  socket.on('data', (chunk: Buffer) => {
    if (head === '') head = chunk.toString('latin1', 0, 12);
  });
  socket.on('error', () => end(false));
  socket.on('end', () => end(head.endsWith(' 200')));
  socket.on('close', () => end(false));
}

function report(): void {
  const sorted = micros.sort((a, b) => a - b);
  const at = (share: number): number => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
  console.log(
    JSON.stringify({
      requests: sorted.length,
      durationMicros: Math.round((performance.now() - startedAt) * 1000),
      p50Micros: at(0.5),
      p99Micros: at(0.99),
      p999Micros: at(0.999),
      errors,
      resumed,
    }),
  );
}

for (let lane = running; lane > 0; lane--) runLane(undefined);
