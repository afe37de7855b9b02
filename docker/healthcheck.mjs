// Is the balancer alive? Exit 0 or 1, for the image's HEALTHCHECK.
//
// Without settings it needs to know nothing of the configuration: it connects to a port that this container's processes listen on, says
// nothing, closes its side, and expects the balancer to close the other within three seconds. A worker that hangs does not. That
// leaves no line in the access log, reaches no backend, and works with TLS and PROXY protocol just as well.
//
// EVENKEEL_HEALTH_URL=http://127.0.0.1:8080/up   asks for that instead; healthy if the answer is below 500.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';

const TIMEOUT_MS = 3000;

function lines(file) {
  try {
    return readFileSync(file, 'latin1').trim().split('\n').slice(1);
  } catch {
    return []; // no IPv6 here
  }
}

/** Socket inodes held by processes of this user: under --network host, the tables below list other containers' sockets too. */
function ownSockets() {
  const found = new Set();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      for (const fd of readdirSync(`/proc/${pid}/fd`)) {
        found.add(/^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1]);
      }
    } catch {
      // another user's, or it just ended
    }
  }
  return found;
}

/** `0100007F:1F90` (IPv4, little-endian words) or the IPv6 form -> where to connect. */
function endpoint(text, isIpv6) {
  const [address, port] = text.split(':');
  const bytes = address.match(/.{8}/g).flatMap((word) => word.match(/../g).reverse());
  const isAny = bytes.every((byte) => byte === '00');
  const host = isIpv6
    ? bytes.join('').match(/.{4}/g).join(':')
    : bytes.map((byte) => Number.parseInt(byte, 16)).join('.');
  return { host: isAny ? (isIpv6 ? '::1' : '127.0.0.1') : host, port: Number.parseInt(port, 16) };
}

function listeners() {
  const own = ownSockets();
  return [
    ['/proc/net/tcp', false],
    ['/proc/net/tcp6', true],
  ].flatMap(([file, isIpv6]) =>
    lines(file)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === '0A' && own.has(fields[9])) // 0A: LISTEN
      .map((fields) => endpoint(fields[1], isIpv6)),
  );
}

function closesWhenWeDo(where) {
  return new Promise((resolve) => {
    const socket = connect({ ...where, allowHalfOpen: true }, () => socket.end());
    const finish = (isAlive) => {
      socket.destroy();
      resolve(isAlive);
    };
    socket.setTimeout(TIMEOUT_MS, () => finish(false));
    socket.on('error', (error) => finish(error.code === 'ECONNRESET'));
    socket.on('end', () => finish(true));
    socket.resume();
  });
}

async function isHealthy() {
  const url = process.env.EVENKEEL_HEALTH_URL;
  if (url) {
    const { status } = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) });
    return status < 500;
  }
  const answers = await Promise.all(listeners().map(closesWhenWeDo));
  return answers.length === 0 || answers.includes(true); // none: it listens on unix sockets only
}

isHealthy().then(
  (healthy) => process.exit(healthy ? 0 : 1),
  (error) => {
    console.error(error.message);
    process.exit(1);
  },
);
