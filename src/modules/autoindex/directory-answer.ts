import type { Dir } from 'node:fs';
import { respondStatus } from '../../http/error-response.ts';
import type { ContentState, Exchange } from '../../http/exchange.ts';
import { sendResponseHead, sendUnmeasured } from '../../http/send-response.ts';
import { dropBody } from '../../http/send-text.ts';
import { argValue } from '../../http/variables/arg-value.ts';
import { charsetToBe } from '../charset/charset-module.ts';
import { jsonListing, xmlListing } from './data-listing.ts';
import { type DirectoryEntry, isBefore } from './directory-entry.ts';
import { htmlListing } from './html-listing.ts';
import { inTurns, type Steps, sortSteps } from './in-turns.ts';
import { DirectoryError, openDirectory, readDirectory } from './read-directory.ts';

export const FORMATS = ['html', 'json', 'jsonp', 'xml'] as const;
export type ListingFormat = (typeof FORMATS)[number];

export interface ListingSettings {
  readonly format: ListingFormat;
  readonly isExact: boolean;
  readonly isLocalTime: boolean;
}

const TYPES: Readonly<Record<ListingFormat, string>> = {
  html: 'text/html',
  json: 'application/json',
  jsonp: 'application/javascript',
  xml: 'text/xml; charset=utf-8',
};

/** What the function of `?callback=` may be called. */
const CALLBACK = /^[a-z0-9_.]*$/i;

/** Answers with what is in the directory. */
export function answerDirectory(ex: Exchange, path: string, settings: ListingSettings): void {
  if (!dropBody(ex)) return;
  let { format } = settings;
  let callback: string | null = null;
  if (format === 'jsonp') {
    callback = argValue(ex.args, 'callback') || null;
    if (callback === null) format = 'json';
    else if (!CALLBACK.test(callback)) {
      ex.location.errorLog.write('info', ex, `client sent invalid callback name: "${callback}"`);
      respondStatus(ex, 400);
      return;
    }
  }
  const plain = path.endsWith('/') && path.length > 1 ? path.slice(0, -1) : path;
  // It answers for every error itself.
  void new DirectoryAnswer(ex, plain, { ...settings, format }, callback).run();
}

/** The reading goes on in the background; the client may go in the meantime. */
class DirectoryAnswer implements ContentState {
  readonly #path: string;
  readonly #settings: ListingSettings;
  readonly #callback: string | null;
  /** Null: the client has gone. */
  #ex: Exchange | null;

  constructor(ex: Exchange, path: string, settings: ListingSettings, callback: string | null) {
    this.#ex = ex;
    this.#path = path;
    this.#settings = settings;
    this.#callback = callback;
    ex.content = this;
  }

  async run(): Promise<void> {
    try {
      const directory = await openDirectory(this.#path);
      const entries = await this.#read(directory);
      const ex = this.#ex;
      if (ex === null || entries === null) return;
      const { response } = ex;
      response.status = 200;
      response.contentLength = -1;
      response.contentType = TYPES[this.#settings.format];
      if (ex.request.method === 'HEAD') {
        this.#ex = null;
        ex.content = null;
        sendResponseHead(ex);
        ex.stream.endBody(null);
        return;
      }
      const body = await this.#render(ex, entries);
      if (body === null || this.#ex === null) return;
      this.#ex = null;
      ex.content = null;
      sendUnmeasured(ex, body);
    } catch (error) {
      if (!(error instanceof DirectoryError)) throw error;
      this.#fail(error);
    }
  }

  onWritable(): void {
    // nothing was sent yet
  }

  onClientAborted(reason?: string): void {
    const ex = this.#ex;
    this.#ex = null;
    if (ex === null) return;
    ex.location.errorLog.write('info', ex, reason ?? 'client prematurely closed connection');
    ex.stream.abort();
  }

  async #read(directory: Dir): Promise<DirectoryEntry[] | null> {
    const isWanted = (): boolean => this.#ex !== null;
    try {
      if (this.#ex?.request.method === 'HEAD') return [];
      const entries = await readDirectory(directory, this.#path, isWanted, (failure) => {
        this.#ex?.location.errorLog.write('crit', this.#ex, failure.message);
      });
      return await inTurns(sortSteps(entries, isBefore), isWanted);
    } finally {
      await directory.close();
    }
  }

  #render(ex: Exchange, entries: readonly DirectoryEntry[]): Promise<Buffer | null> {
    return inTurns(joined(this.#lines(ex, entries)), () => this.#ex !== null);
  }

  #lines(ex: Exchange, entries: readonly DirectoryEntry[]): Generator<string> {
    const { format, isExact, isLocalTime } = this.#settings;
    if (format === 'xml') return xmlListing(entries);
    if (format !== 'html') return jsonListing(entries, this.#callback);
    const isUtf8 = charsetToBe(ex)?.toLowerCase() === 'utf-8';
    return htmlListing(ex.uri, entries, { isExact, isLocalTime, isUtf8 });
  }

  #fail(error: DirectoryError): void {
    const ex = this.#ex;
    this.#ex = null;
    if (ex === null) return;
    const status = statusOf(error.code);
    ex.location.errorLog.write(status === 500 ? 'crit' : 'error', ex, error.message);
    respondStatus(ex, status);
  }
}

function statusOf(code: string): 403 | 404 | 500 {
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return 404;
  return code === 'EACCES' ? 403 : 500;
}

/** Lines of one turn become one piece of bytes. */
const LINES_PER_PIECE = 500;

function* joined(lines: Iterable<string>): Steps<Buffer> {
  const pieces: Buffer[] = [];
  let text = '';
  let count = 0;
  for (const line of lines) {
    text += line;
    if (++count % LINES_PER_PIECE === 0) {
      pieces.push(Buffer.from(text, 'latin1'));
      text = '';
    }
    yield;
  }
  pieces.push(Buffer.from(text, 'latin1'));
  return Buffer.concat(pieces);
}
