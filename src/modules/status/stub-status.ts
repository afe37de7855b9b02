import { LOCATION, SERVER } from '../../config/contexts.ts';
import { directive } from '../../config/directive-spec.ts';
import { respondStatus } from '../../http/error-response.ts';
import type { HttpModule, LocationBuild } from '../../http/http-module.ts';
import { DONE, PENDING, type PhaseHandler } from '../../http/location.ts';
import { CLUSTER_STATS } from '../../http/observe-services.ts';
import { sendText } from '../../http/send-text.ts';
import type { VariableDef } from '../../http/variable.ts';
import type { ClusterStats, ClusterStatsClient } from '../../observe/cluster-stats.ts';
import { ACCEPTED, ACTIVE, HANDLED, READING, REQUESTS, WAITING, WRITING } from '../../observe/counters.ts';
import { answerLater } from './answer-later.ts';

export interface StubStatusConf {
  isOn: boolean;
}

/** `stub_status`: nginx's page of connection counters, summed over the workers; `$connections_*`. */
export const stubStatusModule: HttpModule<StubStatusConf> = {
  name: 'stub_status',
  defaults: () => ({ isOn: false }),
  rows: [
    directive<StubStatusConf>({
      name: 'stub_status',
      contexts: SERVER | LOCATION,
      args: [0, 1],
      field: 'isOn',
      parse: () => true,
      inherit: 'none',
      repeat: 'last',
      syntax: '',
      doc: "Answers with nginx's page of connection and request counters, summed over the workers.",
    }),
  ],
  variables: [
    connections('connections_active', ACTIVE),
    connections('connections_reading', READING),
    connections('connections_writing', WRITING),
    connections('connections_waiting', WAITING),
  ],
  compileLocation: (conf, build) => {
    build.location.compiled.set(CLUSTER_STATS, build.services.get(CLUSTER_STATS));
    if (conf.isOn) build.setContent(stubStatusHandler(build));
  },
};

function stubStatusHandler(build: LocationBuild): PhaseHandler {
  const stats = build.services.get(CLUSTER_STATS);
  return (ex) => {
    if (ex.request.method !== 'GET' && ex.request.method !== 'HEAD') {
      respondStatus(ex, 405);
      return DONE;
    }
    answerLater(ex, stats.collect(false), (all) => sendText(ex, 200, 'text/plain', stubStatusText(all)));
    return PENDING;
  };
}

/** Byte for byte nginx's, the blanks at the ends of the lines too. */
export function stubStatusText({ counters }: Pick<ClusterStats, 'counters'>): string {
  const at = (index: number): number => counters[index] ?? 0;
  return [
    `Active connections: ${at(ACTIVE)} \n`,
    'server accepts handled requests\n',
    ` ${at(ACCEPTED)} ${at(HANDLED)} ${at(REQUESTS)} \n`,
    `Reading: ${at(READING)} Writing: ${at(WRITING)} Waiting: ${at(WAITING)} \n`,
  ].join('');
}

function connections(name: string, index: number): VariableDef {
  return {
    name,
    compile: () => (ex) => {
      const stats = ex.location.compiled.get(CLUSTER_STATS) as ClusterStatsClient | undefined;
      return stats === undefined ? null : String(stats.peek(index));
    },
  };
}
