/** What stands behind `user:` in an htpasswd file, up to the next colon or the end of the line; null: there is no such user. */
export function storedPassword(file: string, user: string): string | null {
  for (const line of file.split('\n')) {
    if (line.startsWith('#') || line.startsWith('\r') || !line.startsWith(`${user}:`)) continue;
    return line.slice(user.length + 1).split(/[:\r]/, 1)[0] ?? '';
  }
  return null;
}
