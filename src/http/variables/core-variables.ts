import type { VariableDef } from '../variable.ts';
import { ABSENT_VARIABLES } from './absent-variables.ts';
import { CONNECTION_VARIABLES } from './connection-variables.ts';
import { REQUEST_VARIABLES } from './request-variables.ts';
import { RESPONSE_VARIABLES } from './response-variables.ts';
import { TIME_VARIABLES } from './time-variables.ts';
import { UPSTREAM_VARIABLES } from './upstream-variables.ts';

/** Every variable that belongs to no module. */
export const CORE_VARIABLES: readonly VariableDef[] = [
  ...CONNECTION_VARIABLES,
  ...REQUEST_VARIABLES,
  ...RESPONSE_VARIABLES,
  ...UPSTREAM_VARIABLES,
  ...TIME_VARIABLES,
  ...ABSENT_VARIABLES,
];
