import { wallMs } from '../core/clock.ts';
import type { LogLevel } from './log-level.ts';

/** What follows the text: pairs of name and value, in nginx's order. `client` and `server` are bare, all others in quotes. */
export type LogFields = readonly string[];

/** nginx's NGX_MAX_ERROR_STR, the line feed included: what a client sends may not make a line as long as it likes. */
const MAX_LINE_CHARS = 2047;

let knownSec = -1;
let knownTime = '';

/** Line ends and what a terminal obeys. */
const CONTROLS = /[\0-\x1f\x7f]/;
const EACH_CONTROL = /[\0-\x1f\x7f]/g;

/** What clients send (a decoded `$uri` in a file's name, say) must not begin a line of its own: `\xHH`. */
function onOneLine(line: string): string {
  if (!CONTROLS.test(line)) return line;
  return line.replace(EACH_CONTROL, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** `2026/01/31 12:00:00 [error] PID#TID: *CONN text, client: …, server: …, request: "…"`: nginx's line. `connection` 0 = none. */
export function errorLine(level: LogLevel, text: string, connection: number, fields: LogFields | null): string {
  const who = connection > 0 ? `*${connection} ` : '';
  // The main thread's id is the process's.
  let line = `${logTime()} [${level}] ${process.pid}#${process.pid}: ${who}${text}`;
  if (fields === null) return onOneLine(line).slice(0, MAX_LINE_CHARS);
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    const isBare = name === 'client' || name === 'server';
    line += isBare ? `, ${name}: ${fields[i + 1]}` : `, ${name}: "${fields[i + 1]}"`;
  }
  return onOneLine(line).slice(0, MAX_LINE_CHARS);
}

/** Local time as `2026/01/31 12:00:00`. */
export function logTime(): string {
  const nowSec = Math.floor(wallMs() / 1000);
  if (nowSec !== knownSec) {
    const at = new Date(nowSec * 1000);
    const two = (n: number): string => (n < 10 ? `0${n}` : `${n}`);
    knownTime = `${at.getFullYear()}/${two(at.getMonth() + 1)}/${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
    knownSec = nowSec;
  }
  return knownTime;
}
