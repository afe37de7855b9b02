import { hasEmerg } from '../config/diagnostic.ts';
import { printWord } from '../config/print.ts';
import type { ConfigSource } from '../process/config-source.ts';
import type { ServeFlags } from './serve-flags.ts';
import { UsageError } from './usage-error.ts';

const ADDRESSES = 'PORT, ADDRESS:PORT, [IPV6]:PORT or unix:PATH';
const BACKENDS =
  'HOST:PORT, [IPV6]:PORT or unix:PATH, then any of weight=N max_fails=N fail_timeout=TIME max_conns=N backup down';

/** Throws UsageError when the configuration that the flags stand for has findings: nginx's words, the flag that is to blame, what it may be. */
export function checkServe(flags: ServeFlags, source: ConfigSource): void {
  const { status } = flags;
  if (status !== undefined && flags.listen.some((address) => plain(address) === plain(status))) {
    throw new UsageError(`--status ${status}: --listen has this address already; choose another one`);
  }
  const { diagnostics, snapshot } = source.read();
  if (!hasEmerg(diagnostics)) return;
  const lines = (snapshot.files[0]?.text ?? '').split('\n');
  const findings = diagnostics
    .filter((finding) => finding.severity === 'emerg')
    .map(({ text, pos }) => explain(text, lines[(pos?.line ?? 0) - 1] ?? '', flags));
  throw new UsageError(findings.join('\n'));
}

function explain(text: string, line: string, flags: ServeFlags): string {
  const [directive = ''] = line.trim().split(' ');
  switch (directive) {
    case 'listen': {
      const isListen = flags.listen.some((address) => line.trim() === `listen ${printWord(address)};`);
      return `${isListen ? '--listen' : '--status'}: ${text}; allowed are ${ADDRESSES}`;
    }
    case 'upstream':
    case 'server':
      return `--backend: ${text}; allowed are ${BACKENDS}`;
    default:
      return text;
  }
}

/** Different ways to write one address become one. */
function plain(address: string): string {
  if (/^[0-9]+$/.test(address)) return `0.0.0.0:${address}`;
  const withPort = /^(?:unix:|.*:[0-9]+$)/.test(address) ? address : `${address}:80`;
  return withPort.replace(/^\*:/, '0.0.0.0:');
}
