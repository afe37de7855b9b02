import { lowerCase } from '../host-name.ts';

/** `$arg_name`: the first argument of this name in any case, as sent (not unescaped); null when there is none. */
export function argValue(args: string, lowerName: string): string | null {
  if (args === '' || lowerName === '') return null;
  const wanted = `${lowerName}=`;
  const folded = lowerCase(args);
  for (let at = folded.indexOf(wanted); at >= 0; at = folded.indexOf(wanted, at + 1)) {
    if (at > 0 && args[at - 1] !== '&') continue;
    const start = at + wanted.length;
    const end = args.indexOf('&', start);
    return args.slice(start, end < 0 ? args.length : end);
  }
  return null;
}
