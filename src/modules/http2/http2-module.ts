import type { HttpModule } from '../../http/http-module.ts';
import { type Http2Conf, http2Defaults } from './http2-conf.ts';
import { http2Rows } from './http2-rows.ts';

/** HTTP/2 from clients: what a server says about it. The protocol itself is src/h2. */
export const http2Module: HttpModule<Http2Conf> = {
  name: 'http2',
  defaults: http2Defaults,
  rows: http2Rows,
  variables: [
    {
      name: 'http2',
      compile: () => (ex) => (ex.request.version === 20 ? (ex.connection.isTls ? 'h2' : 'h2c') : ''),
    },
  ],
};
