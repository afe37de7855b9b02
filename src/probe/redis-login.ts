import type { RedisSession } from './redis-session.ts';

/** Redis's answer to AUTH where none is set up. Its whole message speaks of the command, not of what to do. */
const NEEDS_NONE = /without any password configured/;

/** Logs in. Rejects with a reason in words; the password is in none of them. */
export async function logIn(session: RedisSession, username: string | undefined, password: string): Promise<void> {
  try {
    await session.ask('AUTH', ...(username === undefined ? [] : [username]), password);
  } catch (error) {
    const text = error instanceof Error ? error.message : '';
    if (NEEDS_NONE.test(text))
      throw new Error('it asks nobody for a password, though one was given: requirepass is not set');
    throw error;
  }
}
