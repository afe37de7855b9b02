import { HTTP_SCOPES } from '../../config/contexts.ts';
import { type DirectiveUse, directive } from '../../config/directive-spec.ts';
import { integer, text } from '../../config/values.ts';
import type { HttpModule } from '../../http/http-module.ts';
import type { BodySettings } from '../../http/request-body.ts';
import { proxyModule } from '../proxy/proxy.ts';
import { tempPath } from '../proxy/proxy-location.ts';
import { mirrorHandler } from './mirror-handler.ts';

export interface MirrorConf {
  /** Paths that get a copy each; none: `off`. */
  uris: readonly string[];
  passesBody: boolean;
  mostRunning: number;
}

/** nginx's ngx_http_mirror_module: copies of requests for other servers, whose answers nobody sees. */
export const mirrorModule: HttpModule<MirrorConf> = {
  name: 'mirror',
  defaults: () => ({ uris: [], passesBody: true, mostRunning: 1000 }),
  rows: [
    directive<MirrorConf>({
      name: 'mirror',
      contexts: HTTP_SCOPES,
      args: 1,
      apply: (own, use) => {
        own.uris = withMirror(own.uris, use);
      },
      syntax: 'uri | off',
      defaultText: 'off',
      doc: 'Sends a copy of each request to this location besides, and drops what it answers. May be said several times.',
    }),
    directive<MirrorConf>({
      name: 'mirror_request_body',
      contexts: HTTP_SCOPES,
      args: 'flag',
      field: 'passesBody',
      syntax: 'on | off',
      defaultText: 'on',
      doc: 'Whether copies have the body, which is read whole before anything is sent then.',
    }),
    directive<MirrorConf>({
      name: 'mirror_max_running',
      contexts: HTTP_SCOPES,
      args: 1,
      field: 'mostRunning',
      parse: integer({ min: 1 }),
      syntax: 'number',
      defaultText: '1000',
      doc: 'Copies that a worker has under way at once; a request beyond gets none, and the error log says so. Ours, not nginx’s.',
    }),
  ],
  compileLocation: ({ uris, passesBody, mostRunning }, { scope, location, prefix, addPhase }) => {
    if (uris.length === 0) return;
    const { bodyTempPath, bodyInFileOnly } = scope.conf(proxyModule);
    const { clientBodyBufferBytes, clientMaxBodyBytes } = location.core;
    const body: BodySettings = {
      bufferBytes: clientBodyBufferBytes,
      maxBytes: clientMaxBodyBytes,
      tempPath: tempPath(bodyTempPath, prefix),
      inFileOnly: bodyInFileOnly,
    };
    addPhase('precontent', mirrorHandler({ uris, body: passesBody ? body : null, mostRunning }));
  },
};

/** Several copies, or `off` alone. */
function withMirror(uris: readonly string[] | undefined, use: DirectiveUse): readonly string[] {
  const uri = text(use);
  const isDuplicate = uri === 'off' ? uris !== undefined : uris?.length === 0;
  if (isDuplicate) use.fail(`"${use.name}" directive is duplicate`);
  return uri === 'off' ? [] : [...(uris ?? []), uri];
}
