import { type DerElement, element, elements, oidText } from './der.ts';

/** One attribute of a name: `CN` and its text as it stands in the certificate. */
export interface NameAttribute {
  /** OpenSSL's short name; numbers with dots where it has none. */
  readonly type: string;
  readonly value: Buffer;
  /** ASN.1's tag of the value. */
  readonly tag: number;
  /** The first of its relative name; the others are joined to it by `+`. */
  readonly isFirst: boolean;
}

const SHORT_NAMES: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.4': 'SN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'street',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.12': 'title',
  '2.5.4.13': 'description',
  '2.5.4.15': 'businessCategory',
  '2.5.4.17': 'postalCode',
  '2.5.4.41': 'name',
  '2.5.4.42': 'GN',
  '2.5.4.43': 'initials',
  '2.5.4.44': 'generationQualifier',
  '2.5.4.46': 'dnQualifier',
  '2.5.4.65': 'pseudonym',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
  '1.2.840.113549.1.9.1': 'emailAddress',
};

const BMP_STRING = 0x1e;
const UNIVERSAL_STRING = 0x1c;
const T61_STRING = 0x14;

/** RFC 2253, the last attribute first, bytes beyond ASCII escaped: `$ssl_client_s_dn`. */
export function rfc2253(attributes: readonly NameAttribute[]): string {
  let text = '';
  for (let i = attributes.length - 1; i >= 0; i--) {
    const attribute = attributes[i] as NameAttribute;
    // The one written before belongs to the same relative name.
    const isJoined = attributes[i + 1]?.isFirst === false;
    text += `${text === '' ? '' : isJoined ? '+' : ','}${attribute.type}=${escaped(utf8(attribute))}`;
  }
  return text;
}

/** `/C=US/CN=name`: `$ssl_client_s_dn_legacy`. */
export function oneLine(attributes: readonly NameAttribute[]): string {
  return attributes.map((one) => `${one.isFirst ? '/' : '+'}${one.type}=${hexed(narrow(one.value, one.tag))}`).join('');
}

/** Subject and issuer of a certificate in DER. */
export function namesOf(certificate: Buffer): { readonly subject: NameAttribute[]; readonly issuer: NameAttribute[] } {
  const none = { subject: [], issuer: [] };
  const whole = element(certificate, 0);
  const body = whole === null ? null : element(certificate, whole.start);
  if (body === null) return none;
  // [0] version, serial, algorithm, issuer, validity, subject
  const fields = elements(certificate, body.start, body.end);
  if (fields[0]?.tag === 0xa0) fields.shift();
  const [, , issuer, , subject] = fields;
  if (issuer === undefined || subject === undefined) return none;
  return { subject: readName(certificate, subject), issuer: readName(certificate, issuer) };
}

function readName(bytes: Buffer, name: DerElement): NameAttribute[] {
  return elements(bytes, name.start, name.end).flatMap((relative) =>
    elements(bytes, relative.start, relative.end).map((pair, i) => {
      const [type, value] = elements(bytes, pair.start, pair.end);
      const oid = type === undefined ? '' : oidText(bytes.subarray(type.start, type.end));
      return {
        type: SHORT_NAMES[oid] ?? oid,
        value: value === undefined ? Buffer.alloc(0) : bytes.subarray(value.start, value.end),
        tag: value?.tag ?? 0,
        isFirst: i === 0,
      };
    }),
  );
}

/** The value as a byte string of UTF-8. */
function utf8({ value, tag }: NameAttribute): string {
  if (tag === T61_STRING) return Buffer.from(value.toString('latin1'), 'utf8').toString('latin1');
  if (tag === BMP_STRING || tag === UNIVERSAL_STRING) return Buffer.from(wide(value, tag), 'utf8').toString('latin1');
  return value.toString('latin1');
}

function wide(value: Buffer, tag: number): string {
  const size = tag === BMP_STRING ? 2 : 4;
  let text = '';
  for (let at = 0; at + size <= value.length; at += size) text += String.fromCodePoint(value.readUIntBE(at, size));
  return text;
}

/** Wide characters whose upper bytes are zero lose them. */
function narrow(value: Buffer, tag: number): string {
  if (tag !== UNIVERSAL_STRING) return value.toString('latin1');
  return wide(value, tag);
}

function escaped(text: string): string {
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string;
    const code = text.charCodeAt(i);
    const isEdge = (i === 0 && (c === ' ' || c === '#')) || (i === text.length - 1 && c === ' ');
    if (',+"\\<>;'.includes(c) || isEdge) out += `\\${c}`;
    else if (code < 0x20 || code >= 0x7f) out += `\\${code.toString(16).toUpperCase().padStart(2, '0')}`;
    else out += c;
  }
  return out;
}

function hexed(text: string): string {
  return text.replace(/[^ -~]/g, (c) => `\\x${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}
