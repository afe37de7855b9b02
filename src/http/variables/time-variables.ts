import { nowMs, wallMs } from '../../core/clock.ts';
import type { VariableDef } from '../variable.ts';
import { secondsText } from './number-format.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** The texts of one second; made anew when the second has passed. */
let cachedSecond = -1;
let local = '';
let iso8601 = '';

/** `28/Sep/1970:12:00:00 +0600`, in the machine's time zone. */
export function timeLocal(ms: number): string {
  refresh(ms);
  return local;
}

/** `1970-09-28T12:00:00+06:00`, in the machine's time zone. */
export function timeIso8601(ms: number): string {
  refresh(ms);
  return iso8601;
}

function refresh(ms: number): void {
  const second = Math.floor(ms / 1000);
  if (second === cachedSecond) return;
  cachedSecond = second;
  const date = new Date(second * 1000);
  const year = String(date.getFullYear()).padStart(4, '0');
  const day = two(date.getDate());
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  const offsetMin = -date.getTimezoneOffset();
  const sign = offsetMin < 0 ? '-' : '+';
  const hours = two(Math.floor(Math.abs(offsetMin) / 60));
  const minutes = two(Math.abs(offsetMin) % 60);
  local = `${day}/${MONTHS[date.getMonth()]}/${year}:${clock} ${sign}${hours}${minutes}`;
  iso8601 = `${year}-${two(date.getMonth() + 1)}-${day}T${clock}${sign}${hours}:${minutes}`;
}

function two(number: number): string {
  return number < 10 ? `0${number}` : String(number);
}

export const TIME_VARIABLES: readonly VariableDef[] = [
  { name: 'time_local', compile: () => () => timeLocal(wallMs()) },
  { name: 'time_iso8601', compile: () => () => timeIso8601(wallMs()) },
  { name: 'msec', compile: () => () => secondsText(wallMs()) },
  { name: 'request_time', compile: () => (ex) => secondsText(nowMs() - ex.startedAtMs) },
  { name: 'connection_time', compile: () => (ex) => secondsText(nowMs() - ex.connection.acceptedAtMs) },
];
