import { randomFillSync } from 'node:crypto';

const ID_BYTES = 16;
/** Random bytes are bought in bulk: one call to the generator serves many requests. */
const pool = Buffer.alloc(ID_BYTES * 256);
let used = pool.length;

/** `$request_id`: 16 random bytes as 32 hexadecimal digits. */
export function newRequestId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += ID_BYTES;
  return pool.toString('hex', used - ID_BYTES, used);
}
