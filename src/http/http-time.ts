const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Sun, 06 Nov 1994 08:49:37 GMT` and `Sunday, 06-Nov-94 08:49:37 GMT` (RFC 9110 section 5.6.7). */
const DATE_FIRST = /^[A-Za-z]+, *(\d\d)[ -]([A-Za-z]{3})[ -](\d{4}|\d\d) (\d\d):(\d\d):(\d\d)/;
/** `Sun Nov  6 08:49:37 1994`. */
const YEAR_LAST = /^[A-Za-z]{3} ([A-Za-z]{3}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})/;

/** Seconds since 1970 as in a header; `-1`: it is no time. */
export function parseHttpTime(text: string): number {
  const first = DATE_FIRST.exec(text);
  if (first !== null) {
    const [, day = '', month = '', year = '', hour = '', minute = '', second = ''] = first;
    return secondsOf(fullYear(year), month, day, [hour, minute, second]);
  }
  const last = YEAR_LAST.exec(text);
  if (last === null) return -1;
  const [, month = '', day = '', hour = '', minute = '', second = '', year = ''] = last;
  return secondsOf(Number(year), month, day, [hour, minute, second]);
}

/** As `Last-Modified` has it. */
export function formatHttpTime(seconds: number): string {
  return new Date(seconds * 1000).toUTCString();
}

/** Two digits: of 1970 to 2069. */
function fullYear(year: string): number {
  if (year.length === 4) return Number(year);
  return Number(year) + (Number(year) < 70 ? 2000 : 1900);
}

function secondsOf(year: number, monthName: string, dayText: string, clock: readonly string[]): number {
  const month = MONTHS.indexOf(monthName);
  const [hour = 0, minute = 0, second = 0] = clock.map(Number);
  const day = Number(dayText);
  if (month < 0 || hour > 23 || minute > 59 || second > 59) return -1;
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month] ?? 0;
  if (day < 1 || day > days) return -1;
  return Date.UTC(year, month, day, hour, minute, second) / 1000;
}
