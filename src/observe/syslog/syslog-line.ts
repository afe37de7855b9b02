import { wallMs } from '../../core/clock.ts';
import type { SyslogSettings } from './syslog-settings.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

let knownSec = -1;
let knownTime = '';

/** RFC 3164 as nginx writes it: `<190>Jan  5 12:00:00 host nginx: text`, without a line feed. A byte string. */
export function syslogLine(settings: SyslogSettings, severity: number, hostname: string, text: string): string {
  const { facility, tag, hasHostname } = settings;
  return `<${facility * 8 + severity}>${syslogTime()} ${hasHostname ? `${hostname} ` : ''}${tag}: ${text}`;
}

/** Local time. */
function syslogTime(): string {
  const nowSec = Math.floor(wallMs() / 1000);
  if (nowSec !== knownSec) {
    const at = new Date(nowSec * 1000);
    const two = (n: number): string => String(n).padStart(2, '0');
    const day = String(at.getDate()).padStart(2);
    knownTime = `${MONTHS[at.getMonth()]} ${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
    knownSec = nowSec;
  }
  return knownTime;
}
