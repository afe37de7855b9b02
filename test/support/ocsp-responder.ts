import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificate } from './certificates.ts';
import { poll } from './deadline.ts';
import { freePort } from './free-port.ts';
import { tempFolder } from './temp-folder.ts';

/** What a responder knows, and who signs. */
export interface OcspKnowledge {
  readonly ca: Certificate;
  readonly signer: Certificate;
  readonly good: readonly Certificate[];
  readonly revoked?: readonly Certificate[];
}

function writeKnowledge(directory: string, { ca, signer, good, revoked = [] }: OcspKnowledge): string[] {
  const line = (state: string, when: string) => (certificate: Certificate) => {
    const { serialNumber } = new X509Certificate(certificate.cert);
    return `${state}\t301231000000Z\t${when}\t${serialNumber}\tunknown\t/CN=${serialNumber}\n`;
  };
  const lines = [...good.map(line('V', '')), ...revoked.map(line('R', '250101000000Z'))];
  writeFileSync(join(directory, 'index'), lines.join(''));
  writeFileSync(join(directory, 'ca.pem'), ca.cert);
  writeFileSync(join(directory, 'signer.pem'), signer.cert);
  writeFileSync(join(directory, 'signer.key'), signer.key);
  return ['-index', 'index', '-CA', 'ca.pem', '-rsigner', 'signer.pem', '-rkey', 'signer.key'];
}

/** `openssl ocsp`, once: the response to a request, in DER. `more`: its arguments, `-ndays 1` for a next update. */
export function ocspAnswer(knowledge: OcspKnowledge, request: Buffer, more: readonly string[] = []): Buffer {
  const directory = tempFolder('ocsp');
  try {
    const args = writeKnowledge(directory, knowledge);
    writeFileSync(join(directory, 'request.der'), request);
    const files = ['-reqin', 'request.der', '-respout', 'response.der'];
    execFileSync('openssl', ['ocsp', ...args, ...files, ...more], { cwd: directory, stdio: 'pipe' });
    return readFileSync(join(directory, 'response.der'));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** `openssl ocsp` as a responder on a port of its own. */
export class OpensslResponder {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #directory: string;

  private constructor(port: number, child: ChildProcess, directory: string) {
    this.port = port;
    this.#child = child;
    this.#directory = directory;
  }

  static async start(knowledge: OcspKnowledge, port?: number): Promise<OpensslResponder> {
    const chosen = port ?? (await freePort());
    const directory = tempFolder('ocsp');
    const args = ['ocsp', ...writeKnowledge(directory, knowledge), '-port', String(chosen), '-ndays', '1'];
    const child = spawn('openssl', args, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
    const responder = new OpensslResponder(chosen, child, directory);
    // Not tried by a connection: one that says nothing is what it waits for forever.
    const isReady = new Promise<boolean>((resolve) => {
      child.stderr.on('data', (text) => String(text).includes('waiting for OCSP client') && resolve(true));
      child.once('exit', () => resolve(false));
    });
    if (await isReady) return responder;
    await responder.stop();
    throw new Error('openssl ocsp does not listen');
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await poll(() => (this.#child.exitCode !== null || this.#child.signalCode !== null ? true : undefined), 2000);
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
