import { NGINX_VERSION } from '../core/version.ts';

/** What `server_tokens` lets a page (and the `Server` field) say. */
export const SERVER_TOKENS = ['on', 'off', 'build'] as const;
export type ServerTokens = (typeof SERVER_TOKENS)[number];

/** `nginx/1.2.3` or `nginx`. There is no build name, so `build` says what `on` says. */
export function serverName(tokens: ServerTokens): string {
  return tokens === 'off' ? 'nginx' : `nginx/${NGINX_VERSION}`;
}

/** Title of each page that nginx has; a status that is not here is answered without a body. */
const TITLES: Readonly<Record<number, string>> = {
  301: '301 Moved Permanently',
  302: '302 Found',
  303: '303 See Other',
  307: '307 Temporary Redirect',
  308: '308 Permanent Redirect',
  400: '400 Bad Request',
  401: '401 Authorization Required',
  402: '402 Payment Required',
  403: '403 Forbidden',
  404: '404 Not Found',
  405: '405 Not Allowed',
  406: '406 Not Acceptable',
  408: '408 Request Time-out',
  409: '409 Conflict',
  410: '410 Gone',
  411: '411 Length Required',
  412: '412 Precondition Failed',
  413: '413 Request Entity Too Large',
  414: '414 Request-URI Too Large',
  415: '415 Unsupported Media Type',
  416: '416 Requested Range Not Satisfiable',
  421: '421 Misdirected Request',
  429: '429 Too Many Requests',
  498: '404 Not Found',
  500: '500 Internal Server Error',
  501: '501 Not Implemented',
  502: '502 Bad Gateway',
  503: '503 Service Temporarily Unavailable',
  504: '504 Gateway Time-out',
  505: '505 HTTP Version Not Supported',
  507: '507 Insufficient Storage',
};

/** nginx's own statuses: sent as 400, the page says why. */
const REASONS_OF_400: Readonly<Record<number, string>> = {
  494: 'Request Header Or Cookie Too Large',
  495: 'The SSL certificate error',
  496: 'No required SSL certificate was sent',
  497: 'The plain HTTP request was sent to HTTPS port',
};

/** The status on the wire of one that only nginx knows. */
export function wireStatus(status: number): number {
  return status >= 494 && status <= 497 ? 400 : status;
}

const PADDING = '<!-- a padding to disable MSIE and Chrome friendly error page -->\r\n'.repeat(6);

const made = new Map<number, Buffer>();

/** The built-in page; empty when nginx has none for this status. The same bytes each time: don't change them. */
export function errorPageBody(status: number, tokens: ServerTokens, isPadded: boolean): Buffer {
  const key = status * 4 + (tokens === 'off' ? 0 : 1) * 2 + (isPadded ? 1 : 0);
  let body = made.get(key);
  if (body === undefined) {
    body = Buffer.from(errorPage(status, tokens, isPadded), 'latin1');
    made.set(key, body);
  }
  return body;
}

function errorPage(status: number, tokens: ServerTokens, isPadded: boolean): string {
  const reason = REASONS_OF_400[status];
  const title = reason === undefined ? TITLES[status] : `400 ${reason}`;
  if (title === undefined) return '';
  const heading = reason === undefined ? title : '400 Bad Request';
  const lines = [
    '<html>',
    `<head><title>${title}</title></head>`,
    '<body>',
    `<center><h1>${heading}</h1></center>`,
    ...(reason === undefined ? [] : [`<center>${reason}</center>`]),
    `<hr><center>${serverName(tokens)}</center>`,
    '</body>',
    '</html>',
  ];
  return `${lines.join('\r\n')}\r\n${isPadded && status >= 400 ? PADDING : ''}`;
}
