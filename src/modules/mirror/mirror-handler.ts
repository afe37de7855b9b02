import type { Exchange } from '../../http/exchange.ts';
import { NEXT, type PhaseHandler } from '../../http/location.ts';
import type { BodySettings } from '../../http/request-body.ts';
import { MirroredBody } from './mirrored-body.ts';
import { MirroredRequest } from './mirrored-request.ts';

export interface MirrorSettings {
  readonly uris: readonly string[];
  /** How the body is kept; null: copies have none. */
  readonly body: BodySettings | null;
  readonly mostRunning: number;
}

/** Sends copies of a request on their way, and the request on its own. */
export function mirrorHandler({ uris, body, mostRunning }: MirrorSettings): PhaseHandler {
  const sendCopies = (ex: Exchange, copied: MirroredBody | null): void => {
    for (const uri of uris) MirroredRequest.send(ex, uri, copied, mostRunning);
  };
  return (ex) => {
    // As in nginx: no copies of copies.
    if (ex.subrequest !== null) return NEXT;
    if (body === null || ex.request.framing === 'none') {
      sendCopies(ex, null);
      return NEXT;
    }
    return MirroredBody.read(ex, body, sendCopies);
  };
}
