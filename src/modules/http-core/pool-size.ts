import type { DirectiveUse } from '../../config/directive-spec.ts';
import { sizeBytes } from '../../config/values.ts';

/** Size of one of nginx's memory pools, with its limits. */
export function poolSize(use: DirectiveUse): number {
  const bytes = sizeBytes()(use);
  if (bytes < 112) return use.fail('the pool size must be no less than 112');
  return bytes % 16 === 0 ? bytes : use.fail('the pool size must be a multiple of 16');
}
