/** `40838CADB37F0000:error:0A0000F4:SSL routines:function:reason:file:line:data`, as OpenSSL prints an entry of its error queue. */
const ENTRY = /error:([0-9A-F]{8}):([^:\n]*):[^:\n]*:([^:\n]*)(?::[^:\n]*:\d+:([^\n]*))?/;

/** `(SSL: error:0A0000F4:SSL routines::reason:data)`, as nginx ends what OpenSSL has refused; '' when the error is none of OpenSSL's. */
export function opensslText(error: Error): string {
  const entry = ENTRY.exec(error.message);
  if (entry === null) return '';
  const [, code = '', library = '', reason = '', data = ''] = entry;
  return ` (SSL: error:${code}:${library}::${reason}${data === '' ? '' : `:${data}`})`;
}
