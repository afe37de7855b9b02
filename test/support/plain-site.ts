import type { Exchange } from '../../src/http/exchange.ts';
import {
  type CoreSettings,
  Location,
  type PhaseHandler,
  type RequestLog,
  type ServerGroup,
  type ServerSettings,
  type VirtualServer,
} from '../../src/http/location.ts';
import { httpCoreDefaults } from '../../src/modules/http-core/http-core-conf.ts';

/** nginx's defaults. */
export const CORE: CoreSettings = httpCoreDefaults();
export const SETTINGS: ServerSettings = httpCoreDefaults();

export interface Site {
  readonly group: ServerGroup;
  /** Texts of the error log. */
  readonly log: string[];
  /** Status of each request that ended, in order. */
  readonly ended: number[];
}

/** One server, one location, one handler for every request: enough to try an engine without a configuration. */
export function plainSite(
  handler: PhaseHandler,
  core: Partial<CoreSettings> = {},
  settings: Partial<ServerSettings> = {},
): Site {
  const log: string[] = [];
  const ended: number[] = [];
  const errorLog: RequestLog = {
    isEnabled: () => true,
    write: (_level, _ex, text) => {
      log.push(text);
    },
    writeWaiting: () => undefined,
  };
  const location = new Location('', { ...CORE, ...core }, errorLog);
  location.handlers.push(handler);
  location.logHandlers.push((ex: Exchange) => {
    ended.push(ex.response.status);
  });
  const server: VirtualServer = {
    name: '',
    settings: { ...SETTINGS, ...settings },
    defaultLocation: location,
    serverHandlers: [],
    firstRewriteHandler: 0,
    findLocation: () => location,
    namedLocations: new Map(),
    tls: null,
  };
  return { group: { defaultServer: server, find: () => server, findNamed: () => null }, log, ended };
}
