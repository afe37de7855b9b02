import { clearArray } from '../core/clear-array.ts';
import type { HeaderBlock } from './header-block.ts';

/** A response made here that says that it has ranges, or is one. It no longer counts once a filter has changed the length. */
export interface ResponsePart {
  readonly status: number;
  readonly contentLength: number;
  /** '' = that of the whole. */
  readonly contentType: string;
  readonly field: readonly [name: string, value: string] | null;
}

/**
 * A response's head before it is written in the client's protocol.
 * Fields come from two places: `passed` (an upstream's fields, those not `hidden`) and `added` (ours).
 * `Content-Type`, `Content-Length`, `Date`, `Server`, `Connection` and `Transfer-Encoding` never stand in `added`, and are skipped in
 * `passed`: the writer makes them.
 */
export class ResponseHead {
  status = 0;
  /** Reason phrase as the upstream sent it, with the status (`200 Fine`); '' = the standard phrase of `status`. */
  statusLine = '';
  #contentType = '';
  /** Index in `passed` of the type that passes as it came; -1: `contentType` was set. */
  contentTypeAt = -1;
  /** Length in bytes; -1 = not known (chunked or until close). */
  contentLength = -1;
  passed: HeaderBlock | null = null;
  /** Pairs: name, value, name, value. */
  readonly added: string[] = [];
  /** `Date` passed through from the upstream (proxy_pass_header Date); '' = now, null = none. */
  date: string | null = '';
  /** `Server` passed through from the upstream (proxy_pass_header Server); '' = ours, null = none. */
  server: string | null = '';
  /** Last-Modified of a response made here; '' = none. */
  lastModified = '';
  /** The same in seconds since 1970, for conditions; -1 = none. */
  lastModifiedSec = -1;
  /** What becomes of it behind the header filters; null: nothing. */
  part: ResponsePart | null = null;
  /** `charset` has added one to the type. */
  hasOwnCharset = false;
  /** Fields will come behind the body (`add_trailer`): in HTTP/1.1 it is chunked then, whatever its length. */
  expectsTrailers = false;
  /** Content-Encoding that was given here, by `setCoding`; '' = none. */
  ownCoding = '';
  /** `Vary: Accept-Encoding`: the body depends on what codings the client takes. */
  variesByEncoding = false;
  /** The body is a range or is otherwise not to be transformed by filters. */
  isOpaque = false;

  reset(): void {
    this.status = 0;
    this.statusLine = '';
    this.#contentType = '';
    this.contentTypeAt = -1;
    this.contentLength = -1;
    this.passed = null;
    clearArray(this.added);
    this.date = '';
    this.server = '';
    this.lastModified = '';
    this.lastModifiedSec = -1;
    this.part = null;
    this.hasOwnCharset = false;
    this.expectsTrailers = false;
    this.ownCoding = '';
    this.variesByEncoding = false;
    this.isOpaque = false;
  }

  /** '' = no field. */
  get contentType(): string {
    return this.contentTypeAt >= 0 && this.passed !== null ? this.passed.value(this.contentTypeAt) : this.#contentType;
  }

  set contentType(type: string) {
    this.#contentType = type;
    this.contentTypeAt = -1;
  }

  add(name: string, value: string): void {
    this.added.push(name, value);
  }

  /** Takes the fields of this lower-case name out of `added`. */
  remove(lowerName: string): void {
    const { added } = this;
    for (let i = added.length - 2; i >= 0; i -= 2) {
      if ((added[i] as string).toLowerCase() === lowerName) added.splice(i, 2);
    }
  }

  /** What codings the body is in already, here or by the peer; '' = none. `add_header` does not count, as in nginx. */
  get coding(): string {
    if (this.ownCoding !== '' || this.passed === null) return this.ownCoding;
    const { passed } = this;
    for (let i = passed.findNamed('content-encoding'); i >= 0; i = passed.findNamed('content-encoding', i + 1)) {
      if (passed.hidden[i] === 0) return passed.value(i);
    }
    return '';
  }

  /** The body is coded here; '' takes a coding away. */
  setCoding(coding: string): void {
    this.ownCoding = coding;
    if (coding === '') this.drop('content-encoding');
    else this.add('Content-Encoding', coding);
  }

  /** Neither a peer's field of this lower-case name goes out nor one of ours. */
  drop(lowerName: string): void {
    const { passed } = this;
    if (passed !== null) {
      for (let i = passed.findNamed(lowerName); i >= 0; i = passed.findNamed(lowerName, i + 1)) passed.hidden[i] = 1;
    }
    this.remove(lowerName);
  }

  /** First value of a field by lower-case name, wherever it stands; null when absent. Made for variables, not for the hot path. */
  get(lowerName: string): string | null {
    const passed = this.passed;
    if (passed !== null) {
      for (let i = passed.findNamed(lowerName); i >= 0; i = passed.findNamed(lowerName, i + 1)) {
        if (passed.hidden[i] === 0) return passed.value(i);
      }
    }
    for (let i = 0; i < this.added.length; i += 2) {
      if ((this.added[i] as string).toLowerCase() === lowerName) return this.added[i + 1] as string;
    }
    return null;
  }
}
