import { readdirSync, readFileSync } from 'node:fs';

/** One case of a Markdown file: bytes in, events out. */
export interface WireCase {
  readonly file: string;
  readonly title: string;
  /** Text behind `in` in the opening fence: what the bytes answer to, say. */
  readonly parameter: string;
  readonly input: string;
  readonly events: readonly string[];
}

/**
 * Cases of `test/wire/NAME-*.md`: a `##` heading, a fence `in`, a fence `events`.
 *
 * In `in` every line ends with CRLF on the wire, unless it ends with a lone backslash (then with nothing);
 * `\r \n \t \0 \xHH` and `\\` mean what they mean in C. The last line ends as it stands: without CRLF when it ends with a backslash.
 */
export function wireCases(folder: string, prefix: string): WireCase[] {
  return readdirSync(folder)
    .filter((file) => file.startsWith(prefix) && file.endsWith('.md'))
    .flatMap((file) => casesOf(file, readFileSync(`${folder}/${file}`, 'utf8')));
}

function casesOf(file: string, text: string): WireCase[] {
  return text
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const title = section.slice(0, section.indexOf('\n')).trim();
      const input = /^```in ?(.*)\n([\s\S]*?)^```$/m.exec(section);
      const events = /^```events\n([\s\S]*?)^```$/m.exec(section);
      if (input === null || events === null) throw new Error(`${file}: "${title}" lacks an in or an events block`);
      return {
        file,
        title,
        parameter: (input[1] ?? '').trim(),
        input: bytesOf(input[2] ?? ''),
        events: (events[1] ?? '').split('\n').filter((line) => line !== ''),
      };
    });
}

function bytesOf(block: string): string {
  return block
    .split('\n')
    .slice(0, -1)
    .map((line) => (line.endsWith('\\') && !line.endsWith('\\\\') ? line.slice(0, -1) : `${line}\\r\\n`))
    .join('')
    .replace(/\\(x[0-9a-fA-F]{2}|.)/g, (whole, mark: string) => {
      if (mark.startsWith('x')) return String.fromCharCode(Number.parseInt(mark.slice(1), 16));
      return { r: '\r', n: '\n', t: '\t', '0': '\0', '\\': '\\' }[mark] ?? whole;
    });
}

/** Printable form of bytes, for events. */
export function shown(bytes: string): string {
  return JSON.stringify(bytes);
}
