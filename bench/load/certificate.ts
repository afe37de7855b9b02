import { spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CERTIFICATE } from './nginx-conf.ts';

/** A self-signed certificate and its key in one file (ECDSA, P-256: what certificate authorities give out most). */
export function makeCertificate(folder: string): void {
  const file = join(folder, CERTIFICATE);
  const what = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-subj', '/CN=localhost', '-days', '2'];
  const { status, stderr } = spawnSync(
    'openssl',
    ['req', '-x509', '-nodes', ...what, '-keyout', file, '-out', `${file}.crt`],
    {
      encoding: 'utf8',
    },
  );
  if (status !== 0) throw new Error(`openssl made no certificate: ${stderr}`);
  appendFileSync(file, readFileSync(`${file}.crt`));
  chmodSync(file, 0o644); // nginx's workers run as another user
}
