/** Blocks of a PEM text: `-----BEGIN CERTIFICATE-----` … `-----END CERTIFICATE-----`. */
export function pemBlocks(text: string, label: RegExp): string[] {
  const blocks: string[] = [];
  for (const [block, name = ''] of text.matchAll(/-----BEGIN ([^-\n]+)-----[\s\S]*?-----END \1-----/g)) {
    if (label.test(name)) blocks.push(block);
  }
  return blocks;
}

export const CERTIFICATE = /^(X509 |TRUSTED )?CERTIFICATE$/;
export const CRL = /^X509 CRL$/;
export const DH_PARAMETERS = /^(X9\.42 )?DH PARAMETERS$/;
