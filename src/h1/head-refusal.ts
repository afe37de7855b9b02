/** Why a request's head was refused: the status to answer (494 is nginx's own for too large a head) and nginx's words for the log. */
export interface HeadRefusal {
  readonly status: number;
  readonly reason: string;
}

export function refusal(status: number, reason: string): HeadRefusal {
  return { status, reason };
}
