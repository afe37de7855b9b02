/** Byte classes of HTTP/1.1 (RFC 9110 section 5.6.2, RFC 9112 section 5), one table look-up a byte. */

/** A letter, digit or '-': what a field name is made of, as far as nginx takes it without a second look. */
export const NAME_CLEAN = 1;
/** Not a control byte, space or ':': in a field name, but makes it "invalid" in nginx's sense (ignore_invalid_headers). '_' too. */
export const NAME_ODD = 2;
/** May stand in a field value: visible ASCII, space, tab, and bytes from 0x80. */
export const VALUE_OK = 4;
/** May stand in a request target: neither a control byte nor a space nor DEL. */
export const TARGET_OK = 8;
/** A letter of a method: A-Z, '_' and '-', as nginx takes them. */
export const METHOD_OK = 16;

export const BYTE_CLASS = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) {
  const isUpper = byte >= 0x41 && byte <= 0x5a;
  const isLower = byte >= 0x61 && byte <= 0x7a;
  const isDigit = byte >= 0x30 && byte <= 0x39;
  const isVisible = byte > 0x20 && byte !== 0x7f;
  let flags = 0;
  if (isUpper || isLower || isDigit || byte === 0x2d) flags |= NAME_CLEAN;
  else if (isVisible && byte !== 0x3a) flags |= NAME_ODD;
  if (isVisible || byte === 0x20 || byte === 0x09) flags |= VALUE_OK;
  if (isVisible) flags |= TARGET_OK;
  if (isUpper || byte === 0x5f || byte === 0x2d) flags |= METHOD_OK;
  BYTE_CLASS[byte] = flags;
}

export const TAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SPACE = 0x20;
export const COLON = 0x3a;
export const SLASH = 0x2f;

/** Value of a hexadecimal digit, 255 for any other byte. */
export const HEX_VALUE = new Uint8Array(256).fill(255);
for (let digit = 0; digit < 10; digit++) HEX_VALUE[0x30 + digit] = digit;
for (let letter = 0; letter < 6; letter++) {
  HEX_VALUE[0x41 + letter] = 10 + letter;
  HEX_VALUE[0x61 + letter] = 10 + letter;
}
