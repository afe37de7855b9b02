/** nginx's `%T.%03M`: seconds with three decimals. Negative spans (a clock that went back) are zero. */
export function secondsText(ms: number): string {
  const whole = ms > 0 ? Math.floor(ms) : 0;
  const seconds = Math.floor(whole / 1000);
  return `${seconds}.${String(whole - seconds * 1000).padStart(3, '0')}`;
}
