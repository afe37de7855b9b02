import { describe, expect, test } from 'vitest';
import { checkPassword } from '../../../../src/modules/auth-basic/check-password.ts';
import { storedPassword } from '../../../../src/modules/auth-basic/htpasswd.ts';
import { KnownPasswords } from '../../../../src/modules/auth-basic/known-passwords.ts';

describe('checkPassword', () => {
  // Made by crypt(3).
  test.each([
    ['Hello world!', '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5'],
    [
      'Hello world!',
      '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1',
    ],
    ['This is just a test', '$5$rounds=5000$toolongsaltstrin$Un/5jzAHMgOGZ5.mWJpuVolil07guHPvOW8mGRcvxa5'],
    [
      'we have a short salt string but not a short password',
      '$6$rounds=1400$anotherlongsalts$AP.vbZcNbWD30OfPAcUJe702LINHtb7RqILoLW9vJ/DHPMJyr6a.5rQHcOzBXuDOEzAqm8/9xW6EF/z3vOBQp0',
    ],
    ['x', '$6$$KvRrc0bxRLyTUhO8OJOmRczh7oCol5BACiR8rmdfVzvuGgm8JmLDumsL/ah.jFtT.DswxoP9Nv3ByfU4j5hm/0'],
    ['pw', '$apr1$saltsalt$x78Y39ym2RjUNQHTLgwHz/'],
    ['secret', '{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ='],
    ['secret', '{PLAIN}secret'],
    ['', '{PLAIN}'],
  ])('%j is %s', (password, stored) => {
    expect(checkPassword(password, stored)).toBe(true);
    expect(checkPassword(`${password}x`, stored)).toBe(false);
  });

  test.each(['', 'plain', '$2y$05$abcdefghijklmnopqrstuu', '$y$j9T$x$y', 'ab1fSoGQ6pVzQ', '{MD5}x'])(
    '%j is of no known kind',
    (stored) => {
      expect(checkPassword('plain', stored)).toBe('unsupported');
    },
  );

  test.each(['{SHA}', '{SSHA}', '{SSHA}AAAA', '$apr1$', '$apr1$x', '$5$', '$6$x', '$6$rounds=1000$'])(
    '%j lets nobody in',
    (stored) => {
      expect(checkPassword('', stored)).toBe(false);
      expect(checkPassword('x', stored)).toBe(false);
    },
  );

  test('a password without end costs nothing', () => {
    expect(checkPassword('x'.repeat(100_000), '$6$saltstring$x')).toBe(false);
  });
});

test('storedPassword finds the whole name only', () => {
  const file = '#a:no\r\nab:1\na:2:comment\r\n\nb:3';
  expect(['a', 'ab', 'b', '#a', 'c', ''].map((user) => storedPassword(file, user))).toEqual([
    '2',
    '1',
    '3',
    null,
    null,
    null,
  ]);
});

test('known passwords are of one entry, and not without end', () => {
  const known = new KnownPasswords();
  known.add('secret', 'hash');
  expect(known.has('secret', 'hash')).toBe(true);
  expect(known.has('secret', 'other')).toBe(false);
  expect(known.has('other', 'hash')).toBe(false);
  for (let i = 0; i < 1000; i++) known.add(String(i), 'hash');
  expect(known.has('secret', 'hash')).toBe(false);
  expect(known.has('999', 'hash')).toBe(true);
});
