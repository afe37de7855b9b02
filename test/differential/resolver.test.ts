import { afterAll } from 'vitest';
import { addresses, type DnsAnswer, DnsServer } from '../support/dns-server.ts';
import { freePort } from '../support/free-port.ts';
import { replyAndClose, ScriptedBackend } from '../support/scripted-backend.ts';
import { get, HANG_UP, head, post } from './client-script.ts';
import { compare } from './compare.ts';

const dns = await DnsServer.start();
const second = await DnsServer.start();
const ipv6Backend = await ScriptedBackend.start({ host: '::1', script: replyAndClose('by IPv6') });
const dead = await freePort();
afterAll(async () => {
  await dns.stop();
  await second.stop();
  await ipv6Backend.stop();
});

const NAMES: Readonly<Record<string, DnsAnswer>> = {
  'one.test': addresses(['127.0.0.1']),
  'alias.test': [{ type: 'CNAME', target: 'one.test' }],
  'half.test': addresses(['127.0.0.9', '127.0.0.1']),
  'both-dead.test': addresses(['127.0.0.8', '127.0.0.9']),
  'six.test': addresses(['::1']),
  'four-and-six.test': addresses(['127.0.0.1', '::1']),
  'empty.test': [],
  'servfail.test': 'servfail',
  'refused.test': 'refused',
  'formerr.test': 'formerr',
  'notimp.test': 'notimp',
  'silent.test': 'silent',
  'large.test': addresses(['127.0.0.1']),
};
for (const [name, answer] of Object.entries(NAMES)) dns.set(name, answer);
dns.truncate('large.test');
second.set('one.test', addresses(['127.0.0.1']));

const QUIET = { backends: 'which address is tried first is chance' };

compare('resolver', {
  backends: { A: replyAndClose('from A'), B: replyAndClose('from B') },
  addresses: () => ({
    DNS: `127.0.0.1:${dns.port}`,
    DNS2: `127.0.0.1:${second.port}`,
    SIX: String(ipv6Backend.port),
    GONE: String(dead),
  }),
  http: `
    log_format up '$upstream_addr $upstream_status $proxy_host $proxy_port $status';
    access_log access.log up;
    upstream group.test { server %%B%%; }
    server {
      listen 127.0.0.1:%%PORT%%;
      resolver %%DNS%%;
      resolver_timeout 1s;
      location /name { proxy_pass http://$arg_host; }
      location /path { proxy_pass http://$arg_host/other?x=$arg_x; }
      location /port { set $port $arg_port; proxy_pass http://$arg_host:$port; }
      location /set { set $to $arg_host; rewrite ^ /rewritten break; proxy_pass http://$to; }
      location /without-ipv6 { resolver %%DNS%% ipv6=off; proxy_pass http://$arg_host:%%SIX%%; }
      location /ipv6 { proxy_pass http://$arg_host:%%SIX%%; }
      location /other-server { resolver %%DNS2%% valid=1m; proxy_pass http://$arg_host; }
      location /once { proxy_pass http://$arg_host; proxy_next_upstream_tries 1; }
      location /page { error_page 404 = @page; return 404; }
      location @page { proxy_pass http://$arg_host; }
      location /tls { proxy_pass https://$arg_host; proxy_ssl_server_name on; }
    }
    server {
      listen 127.0.0.1:%%PORT2%%;
      location / { proxy_pass http://$arg_host; }
    }
  `,
  cases: {
    'no such name': get('/name?host=nobody.test'),
    'in capitals, with a dot': {
      act: get('/name?host=NoBody.Test.'),
      without: { 'access log': '$proxy_host changes its case with the name that is looked up' },
    },
    'with a path': get('/path?host=nobody.test&x=1'),
    'no addresses': get('/name?host=empty.test'),
    'server failure': get('/name?host=servfail.test'),
    refused: get('/name?host=refused.test'),
    'format error': {
      act: get('/name?host=formerr.test'),
      differs: {
        because: 'name servers',
        evenkeel: { 'error log': /^\[error\] formerr\.test could not be resolved \(1: Format error\)/ },
      },
    },
    'not implemented': get('/name?host=notimp.test'),
    silence: get('/name?host=silent.test'),
    'a body, and no name': post('/name?host=nobody.test', 'body'),
    'an empty label': get('/name?host=a..test'),
    'an upstream of that name': get('/name?host=group.test'),
    'an upstream of that name with a port': get('/port?host=group.test&port=80'),
    'an address literal': get('/name?host=127.0.0.1:1'),
    'invalid port': {
      act: get('/port?host=one.test&port=x'),
      without: { 'access log': 'variables are empty there, and not found here' },
    },
    'nothing listens there': get('/port?host=one.test&port=%%GONE%%'),
    'none of two listens': {
      act: get('/port?host=both-dead.test&port=%%GONE%%'),
      normalize: [{ from: /127\.0\.0\.[89]/g, to: '127.0.0.x' }],
    },
    'one try': {
      act: get('/once?host=both-dead.test:%%GONE%%'),
      normalize: [{ from: /127\.0\.0\.[89]/g, to: '127.0.0.x' }],
    },
    'only IPv6': get('/ipv6?host=six.test'),
    'IPv6 is off': get('/without-ipv6?host=six.test'),
    'known to the other server only by name': get('/other-server?host=alias.test'),
    'by error_page': get('/page?host=nobody.test'),
    'TLS to a name, nothing listens': get('/tls?host=one.test:%%GONE%%'),
    'the client leaves': {
      act: { steps: [head('GET /name?host=silent.test HTTP/1.1', 'Host: a'), 60, HANG_UP] },
      settleMs: 50,
    },
    'no resolver': { act: { port: 'PORT2', ...get('/?host=one.test') } },
  },
});

compare('resolver: names that lead somewhere', {
  backends: { A: replyAndClose('from A') },
  addresses: () => ({ DNS: `127.0.0.1:${dns.port}` }),
  http: `
    log_format up '$upstream_addr $upstream_status $proxy_host $proxy_port $status';
    access_log access.log up;
    server {
      listen 127.0.0.1:%%PORT%%;
      resolver %%DNS%% [::1]:53 valid=30s;
      set $to %%A%%;
      if ($to ~ :(\\d+)$) { set $port $1; }
      location / { proxy_pass http://$arg_host:$port; }
      location /path/ { proxy_pass http://$arg_host:$port/other$is_args$args; }
      location /alias { resolver %%DNS%%; proxy_pass http://$arg_host:$port; }
    }
  `,
  cases: {
    'one address': get('/x?host=one.test'),
    'asked again': {
      act: [get('/x?host=one.test'), get('/y?host=ONE.test')],
      without: { 'access log': '$proxy_host changes its case with the name that is looked up' },
    },
    'a path': get('/path/x?host=one.test'),
    'a body': post('/x?host=one.test', 'body'),
    alias: get('/alias?host=alias.test'),
    'by TCP when cut off': get('/alias?host=large.test'),
    'a dot at the end': get('/alias?host=one.test.'),
    'the one that listens': {
      act: get('/alias?host=half.test'),
      without: { 'access log': QUIET.backends, 'error log': QUIET.backends },
    },
  },
});
