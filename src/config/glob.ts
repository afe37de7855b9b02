import { lstatSync, readdirSync, statSync } from 'node:fs';

/** True when nginx would hand the name to glob(3) instead of opening it. */
export function isGlobPattern(name: string): boolean {
  return /[*?[]/.test(name);
}

/**
 * What glob(3) gives without flags: existing paths that match, sorted by bytes; nothing when nothing matches. `pattern` is absolute.
 * Wildcards never match `/` nor a leading dot, unreadable directories count as empty.
 */
export function globPaths(pattern: string): string[] {
  const parts = pattern.split('/');
  let found = [''];
  for (const [index, part] of parts.entries()) {
    const isLast = index === parts.length - 1;
    const next: string[] = [];
    for (const base of found) {
      for (const name of namesMatching(base, part)) {
        const path = index === 0 ? name : `${base}/${name}`;
        if (isLast ? exists(path) : name === '' || isDirectory(path)) next.push(path);
      }
    }
    found = next;
  }
  return found.sort(byBytes);
}

function namesMatching(base: string, part: string): string[] {
  if (!isGlobPattern(part)) return [part.replace(/\\(.)/gs, '$1')];
  let names: string[];
  try {
    names = readdirSync(Buffer.from(base === '' ? '/' : base, 'latin1'), 'latin1' as BufferEncoding);
  } catch {
    return []; // glob(3) without GLOB_ERR passes over directories that it can't read
  }
  return names.filter((name) => matchesGlob(name, part));
}

/** One path component against one component of a pattern: `*`, `?`, `[a-z]`, `[!a]`, `[[:digit:]]`, `\x`. */
export function matchesGlob(name: string, pattern: string): boolean {
  if (name.startsWith('.') && !pattern.startsWith('.')) return false;
  let n = 0;
  let p = 0;
  let starAt = -1;
  let starName = 0;
  while (n < name.length) {
    if (pattern[p] === '*') {
      starAt = p++;
      starName = n;
      continue;
    }
    const next = matchOne(name.charAt(n), pattern, p);
    if (next !== -1) {
      n++;
      p = next;
    } else if (starAt !== -1) {
      p = starAt + 1;
      n = ++starName;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

/** Index behind the pattern's element at `p` when it matches `char`, else -1. */
function matchOne(char: string, pattern: string, p: number): number {
  const element = pattern[p];
  if (element === undefined) return -1;
  if (element === '?') return p + 1;
  if (element === '\\' && p + 1 < pattern.length) return pattern[p + 1] === char ? p + 2 : -1;
  if (element === '[') {
    const end = bracketEnd(pattern, p);
    if (end !== -1) return matchesBracket(char, pattern.slice(p + 1, end)) ? end + 1 : -1;
  }
  return element === char ? p + 1 : -1;
}

/** Index of the `]` that closes the bracket at `p`, -1 when there is none (then `[` is a plain character). */
function bracketEnd(pattern: string, p: number): number {
  let i = p + 1;
  if (pattern[i] === '!' || pattern[i] === '^') i++;
  if (pattern[i] === ']') i++;
  for (; i < pattern.length; i++) {
    if (pattern[i] === ']') return i;
    if (pattern.startsWith('[:', i)) {
      const close = pattern.indexOf(':]', i + 2);
      if (close !== -1) i = close + 1;
    }
  }
  return -1;
}

const CLASSES: Readonly<Record<string, RegExp>> = {
  alnum: /[A-Za-z0-9]/,
  alpha: /[A-Za-z]/,
  digit: /[0-9]/,
  lower: /[a-z]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[ \t\n\v\f\r]/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
};

function matchesBracket(char: string, content: string): boolean {
  const isNegated = content.startsWith('!') || content.startsWith('^');
  let isMember = false;
  for (let i = isNegated ? 1 : 0; i < content.length; i++) {
    const klass = /^\[:([a-z]+):\]/.exec(content.slice(i));
    if (klass !== null) {
      isMember ||= CLASSES[klass[1] ?? '']?.test(char) ?? false;
      i += klass[0].length - 1;
      continue;
    }
    if (content[i] === '\\' && i + 1 < content.length) i++;
    const low = content.charAt(i);
    if (content[i + 1] === '-' && i + 2 < content.length) {
      i += 2;
      isMember ||= low <= char && char <= content.charAt(i);
    } else {
      isMember ||= low === char;
    }
  }
  return isMember !== isNegated;
}

function exists(path: string): boolean {
  return lstatSync(Buffer.from(path, 'latin1'), { throwIfNoEntry: false }) !== undefined;
}

function isDirectory(path: string): boolean {
  return statSync(Buffer.from(path, 'latin1'), { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
