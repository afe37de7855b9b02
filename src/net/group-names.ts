/** OpenSSL's name of a group of the key exchange by its number in hellos, for `$ssl_curves`. */
export function groupName(number: number): string {
  return NAMES[number] ?? `0x${number.toString(16).padStart(4, '0')}`;
}

const NAMES: Readonly<Record<number, string>> = {
  19: 'prime192v1',
  21: 'secp224r1',
  22: 'secp256k1',
  23: 'prime256v1',
  24: 'secp384r1',
  25: 'secp521r1',
  26: 'brainpoolP256r1',
  27: 'brainpoolP384r1',
  28: 'brainpoolP512r1',
  29: 'X25519',
  30: 'X448',
  256: 'ffdhe2048',
  257: 'ffdhe3072',
  258: 'ffdhe4096',
  259: 'ffdhe6144',
  260: 'ffdhe8192',
};
