import { replyAndClose } from '../support/scripted-backend.ts';
import { get, request, times } from './client-script.ts';
import { compare } from './compare.ts';

const WORKER_PIDS = { from: /\bpid=\d+/g, to: 'pid=…' };

for (const main of ['worker_processes 2;', 'worker_processes auto;', 'worker_processes 1; master_process off;']) {
  compare(main, {
    main,
    backends: { A: replyAndClose('A'), B: replyAndClose('B') },
    http: `
      upstream shared { zone shared 64k; server %%A%%; server %%B%%; }
      server {
        listen 127.0.0.1:%%PORT%%;
        listen unix:%%DIR%%/own.sock;
        location / { return 200 "$uri"; }
        location /pid { return 200 "pid=$pid"; }
        location /shared { proxy_pass http://shared; }
      }`,
    cases: {
      answers: get('/x'),
      'answers many': { act: times(20, get('/many')), isBrief: true },
      'the pid is a number': {
        act: get('/pid'),
        normalize: [WORKER_PIDS],
        without: { client: 'the length of a pid varies' },
      },
      'a zone shares the turn': { act: times(8, get('/shared')), isBrief: true },
      'on a unix socket': { steps: [request('/unix')], path: '%%DIR%%/own.sock' },
    },
  });
}
