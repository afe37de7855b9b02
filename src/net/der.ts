/** A value of ASN.1 in DER: where its content starts and where it ends. */
export interface DerElement {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

export const BIT_STRING = 0x03;
export const INTEGER = 0x02;
export const OCTET_STRING = 0x04;
export const OID = 0x06;
export const ENUMERATED = 0x0a;
export const GENERALIZED_TIME = 0x18;
export const SEQUENCE = 0x30;

/** The element at `at`; null when the bytes do not hold one. */
export function element(bytes: Buffer, at: number): DerElement | null {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) return null;
  const more = first < 0x80 ? 0 : first & 0x7f;
  if (more > 4 || at + 2 + more > bytes.length) return null;
  const length = more === 0 ? first & 0x7f : bytes.readUIntBE(at + 2, more);
  const start = at + 2 + more;
  return start + length > bytes.length ? null : { tag, start, end: start + length };
}

/** Those that stand one after the other, as far as they are whole. */
export function elements(bytes: Buffer, start: number, end: number): DerElement[] {
  const found: DerElement[] = [];
  for (let at = start; at < end; ) {
    const one = element(bytes, at);
    if (one === null) return found;
    found.push(one);
    at = one.end;
  }
  return found;
}

/** An element with its bytes. */
export interface DerNode {
  readonly tag: number;
  readonly content: Buffer;
  /** With tag and length. */
  readonly whole: Buffer;
}

/** What is not as it has to be. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

/** All of `bytes` as elements one after the other. Throws DerError. */
export function nodesOf(bytes: Buffer): DerNode[] {
  const nodes: DerNode[] = [];
  for (let at = 0; at < bytes.length; ) {
    const one = element(bytes, at);
    if (one === null) throw new DerError('the bytes end within a value');
    nodes.push({ tag: one.tag, content: bytes.subarray(one.start, one.end), whole: bytes.subarray(at, one.end) });
    at = one.end;
  }
  return nodes;
}

/** The content of a node, which must be there and have this tag. Throws DerError. */
export function contentOf(node: DerNode | undefined, tag: number): Buffer {
  if (node?.tag !== tag) throw new DerError(`a value with tag ${tag} is missing`);
  return node.content;
}

/** An element made of its contents. */
export function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  if (content.length < 0x80) return Buffer.concat([Buffer.from([tag, content.length]), content]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  const bytes = length.subarray(length.findIndex((byte) => byte !== 0));
  return Buffer.concat([Buffer.from([tag, 0x80 | bytes.length]), bytes, content]);
}

/** `1.2.840.113549.1.1.11`, from an OID's content. */
export function oidText(content: Buffer): string {
  const numbers: number[] = [];
  let value = 0;
  for (const byte of content) {
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      numbers.push(value);
      value = 0;
    }
  }
  const [first = 0, ...rest] = numbers;
  const top = Math.min(2, Math.floor(first / 40));
  return [top, first - top * 40, ...rest].join('.');
}
