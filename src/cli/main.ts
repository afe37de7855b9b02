#!/usr/bin/env node
import { basename } from 'node:path';

// Loaded late, each only when it is needed: `-V` is called often by tools and must be quick.
const argv = process.argv.slice(2);
const isNginx = basename(process.argv[1] ?? '').startsWith('nginx') || /^-[^-]/.test(argv[0] ?? '');
if (isNginx) {
  const { nginxCommand } = await import('./nginx-command.ts');
  process.exitCode = await nginxCommand(argv.map(asBytes));
} else {
  const { evenkeelCommand } = await import('./evenkeel-command.ts');
  process.exitCode = await evenkeelCommand(argv);
}
// Open handles of a start that failed must not keep the program.
process.exit();

/** Byte string: one char = one byte, as in configuration files. */
function asBytes(argument: string): string {
  return Buffer.from(argument, 'utf8').toString('latin1');
}
