import { LOCATION, SERVER } from '../../config/contexts.ts';
import { directive } from '../../config/directive-spec.ts';
import { respondStatus } from '../../http/error-response.ts';
import type { HttpModule } from '../../http/http-module.ts';
import { DONE, PENDING, type PhaseHandler } from '../../http/location.ts';
import { CLUSTER_STATS } from '../../http/observe-services.ts';
import { sendText } from '../../http/send-text.ts';
import type { ClusterStatsClient } from '../../observe/cluster-stats.ts';
import { answerLater } from './answer-later.ts';
import { statusDocument } from './status-document.ts';

export interface LbStatusConf {
  isOn: boolean;
}

/** `lb_status`: the state of all upstreams and peers as JSON, summed over the workers. Ours, not nginx's. */
export const lbStatusModule: HttpModule<LbStatusConf> = {
  name: 'lb_status',
  defaults: () => ({ isOn: false }),
  rows: [
    directive<LbStatusConf>({
      name: 'lb_status',
      contexts: SERVER | LOCATION,
      args: 0,
      field: 'isOn',
      parse: () => true,
      inherit: 'none',
      doc: 'Answers with JSON that tells the state of every upstream and its servers, summed over the workers. Not in nginx.',
    }),
  ],
  compileLocation: (conf, build) => {
    if (conf.isOn) build.setContent(handler(build.services.get(CLUSTER_STATS)));
  },
};

function handler(stats: ClusterStatsClient): PhaseHandler {
  return (ex) => {
    if (ex.request.method !== 'GET' && ex.request.method !== 'HEAD') {
      respondStatus(ex, 405);
      return DONE;
    }
    answerLater(ex, stats.collect(true), (all) => {
      ex.response.add('Cache-Control', 'no-store');
      // sendText takes a byte string.
      const json = `${JSON.stringify(statusDocument(all), null, 2)}\n`;
      sendText(ex, 200, 'application/json', Buffer.from(json, 'utf8').toString('latin1'));
    });
    return PENDING;
  };
}
