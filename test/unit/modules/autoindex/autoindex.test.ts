import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { beginExchange } from '../../../../src/http/phases.ts';
import { htmlListing } from '../../../../src/modules/autoindex/html-listing.ts';
import { compileGroup, compileText } from '../../../support/compile-text.ts';
import { fakeExchange } from '../../../support/fake-client-stream.ts';
import { tempFolder } from '../../../support/temp-folder.ts';

let site = '';
beforeEach(() => {
  site = tempFolder('listed');
  mkdirSync(join(site, 'real'));
  writeFileSync(join(site, 'real/file'), 'x');
  symlinkSync('real', join(site, 'link'));
});
afterEach(() => rmSync(site, { recursive: true, force: true }));

const serve = (text: string) => compileGroup(`server { listen 8080; root ${site}; autoindex on; ${text} }`);

function ask(target: string, text = '') {
  const group = serve(text);
  const asked = fakeExchange({ target }, group);
  beginExchange(asked.ex, group);
  return asked;
}

const ended = async (stream: { isEnded: boolean }) => {
  while (!stream.isEnded) await new Promise((resolve) => setImmediate(resolve));
};

describe('autoindex', () => {
  test('answers without a length, when all is read', async () => {
    const { stream } = ask('/real/');
    expect(stream.isHeadSent).toBe(false);
    await ended(stream);
    expect(stream.head).toMatchObject({ status: 200, contentType: 'text/html', contentLength: -1 });
    expect(stream.body).toContain('<a href="file">file</a>');
  });

  test('says nothing more when the client has gone', async () => {
    const { ex, stream } = ask('/real/');
    ex.content?.onClientAborted();
    expect(stream.isAborted).toBe(true);
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(stream.head).toBe(null);
  });

  test('follows links, unless disable_symlinks says otherwise', async () => {
    const followed = ask('/link/').stream;
    await ended(followed);
    expect(followed.head?.status).toBe(200);
    const refused = ask('/link/', 'disable_symlinks on;').stream;
    await ended(refused);
    expect(refused.head?.status).toBe(404);
    const own = ask('/link/', 'disable_symlinks if_not_owner;').stream;
    await ended(own);
    expect(own.head?.status).toBe(200);
  });

  test('measures names in characters where the page is UTF-8', () => {
    const line = (name: string, isUtf8: boolean) =>
      [
        ...htmlListing('/', [{ name, type: 'file', modifiedSec: 0, sizeBytes: 1 }], {
          isExact: true,
          isLocalTime: false,
          isUtf8,
        }),
      ][1]?.replace(/^<a href="[^"]*">/, '');
    const long = '\xc3\xa9'.repeat(51);
    expect(line(long, true)).toBe(`${'\xc3\xa9'.repeat(47)}..&gt;</a> 01-Jan-1970 00:00                   1\r\n`);
    expect(line(long, false)).toBe(`${long.slice(0, 47)}..&gt;</a> 01-Jan-1970 00:00                   1\r\n`);
    expect(line('\xc3\xa9', true)).toMatch(/^\xc3\xa9<\/a> {50}0/);
    expect(line('\xc3\xa9', false)).toMatch(/^\xc3\xa9<\/a> {49}0/);
    expect(line('\xe9', true)).toMatch(/^\xe9<\/a> {50}0/);
  });

  test('has nginx’s words for a bad format', () => {
    expect(compileText('server { autoindex_format text; }').findings).toEqual([
      'emerg: invalid value "text" in test.conf:3',
    ]);
  });
});
