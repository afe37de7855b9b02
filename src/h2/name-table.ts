import { BYTE_CLASS, NAME_CLEAN, NAME_ODD } from '../core/byte-tables.ts';
import { knownHeaderIdOf } from '../http/known-header.ts';

/** What is known of a field's name: its known id in the low byte, and above it the flags. */
export const ID_MASK = 0xff;
/** Letters, digits and '-' (and '_') alone: valid in nginx's sense. */
export const IS_CLEAN = 0x100;
export const HAS_UNDERSCORE = 0x200;
/** It cannot be a name: a control byte, a space, ':', an upper-case letter, or nothing. */
export const IS_BAD = 0x400;

const MAX_NAMES = 4096;
const names = new Map<string, number>();

/** Looks at each name once: clients send the same ones again and again. The table is emptied when made-up names fill it. */
export function nameInfo(name: string): number {
  const known = names.get(name);
  if (known !== undefined) return known;
  if (names.size >= MAX_NAMES) names.clear();
  const info = look(name);
  names.set(name, info);
  return info;
}

function look(name: string): number {
  let flags = name.length > 0 ? IS_CLEAN : IS_BAD;
  for (let i = 0; i < name.length; i++) {
    const byte = name.charCodeAt(i);
    const kind = BYTE_CLASS[byte] ?? 0;
    if (byte >= 0x41 && byte <= 0x5a) return IS_BAD;
    if ((kind & NAME_CLEAN) !== 0) continue;
    if (byte === 0x5f) flags |= HAS_UNDERSCORE;
    else if ((kind & NAME_ODD) !== 0) flags &= ~IS_CLEAN;
    else return IS_BAD;
  }
  return flags | knownHeaderIdOf(name);
}
