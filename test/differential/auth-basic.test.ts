import { get, inSuccession, request } from './client-script.ts';
import { compare } from './compare.ts';

/** Each user's password is `secret`; made by openssl passwd and by hand. */
const USERS = [
  '# comment',
  'apr:$apr1$saltsalt$LrttParrLPdxvgutaSXWJ0',
  'md5:$1$saltsalt$9xy1btjgzLYfb7hivXtC//',
  'sha:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=',
  'ssha:{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0',
  'plain:{PLAIN}secret',
  'plain-comment:{PLAIN}secret:a comment',
  'empty:',
  'sha256:$5$somesalt$BY2M0Tw/b.yijagFoMZoeHEQSuk9iqvGNX/dBDdRp8A',
  'sha512:$6$somesalt$JX0Uhce8rLRHbaqoSQDYsnTxsqcjCNNcrl79ieTwPGzEhxBEeJcsgDUWIOwc3sDvZN34ZJBWQep7.lcAuSesy/',
  'rounds:$6$rounds=1500$somesalt$RFLFkPCuj1hK3pJiXiUknEaN8sokE.M2lBUAvDKSbsp5rL8NKimXcXAqYmJY5BmTtAI8wJfB3DknMeN89zMHk.',
  'bcrypt:$2y$05$abcdefghijklmnopqrstuu9PxTJzWl2cXBPmvwJ2.4IDGSNyy0mO.',
  'none:{OTHER}secret',
];

const basic = (user: string, password = 'secret') =>
  `Authorization: Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
const as = (user: string, password?: string, target = '/') => get(target, { headers: [basic(user, password)] });

compare('auth_basic', {
  backends: { A: (seen) => `HTTP/1.1 200 OK\r\nContent-Length: ${seen.target.length}\r\n\r\n${seen.target}` },
  files: { users: `${USERS.join('\n')}\n`, 'no-line-end': 'last:{PLAIN}secret' },
  http: `
    server {
      listen 127.0.0.1:%%PORT%%;
      auth_basic "closed site";
      auth_basic_user_file %%DIR%%/users;
      location / { add_header X-User $remote_user; proxy_pass http://%%A%%; }
      location /off { auth_basic off; proxy_pass http://%%A%%; }
      location /variable { auth_basic $arg_realm; proxy_pass http://%%A%%; }
      location /other-file { auth_basic_user_file %%DIR%%/no-line-end; proxy_pass http://%%A%%; }
      location /no-file { auth_basic_user_file %%DIR%%/nowhere; proxy_pass http://%%A%%; }
      location /relative { auth_basic_user_file users; proxy_pass http://%%A%%; }
      location /quoted { auth_basic 'a "b"'; proxy_pass http://%%A%%; }
      location /page { error_page 401 /denied; proxy_pass http://%%A%%; }
      location /denied { auth_basic off; return 200 denied; }
      location /except { limit_except GET { auth_basic off; deny all; } proxy_pass http://%%A%%; }
      location /return { return 200 "returned before"; }
      location /deny { deny all; proxy_pass http://%%A%%; }
      location /any-denied { satisfy any; deny all; proxy_pass http://%%A%%; }
      location /any-allowed { satisfy any; allow 127.0.0.1; deny all; proxy_pass http://%%A%%; }
      location /any-no-rule { satisfy any; allow 10.0.0.1; proxy_pass http://%%A%%; }
      location /any-off-denied { satisfy any; auth_basic off; deny all; proxy_pass http://%%A%%; }
      location /any-off-allowed { satisfy any; auth_basic off; allow all; proxy_pass http://%%A%%; }
      location /any-nothing { satisfy any; auth_basic off; proxy_pass http://%%A%%; }
      location /any-no-file { satisfy any; auth_basic_user_file %%DIR%%/nowhere; deny all; proxy_pass http://%%A%%; }
      location /all-allowed { satisfy all; allow all; proxy_pass http://%%A%%; }
      location /any-files { satisfy any; deny all; try_files /users =404; root %%DIR%%; }
    }`,
  cases: {
    'no user': get('/'),
    'no user: the access log has none': get('/x'),
    $apr1$: as('apr'),
    '$apr1$, wrong': as('apr', 'Secret'),
    $1$: as('md5'),
    '{SHA}': as('sha'),
    '{SHA}, wrong': as('sha', 'x'),
    '{SSHA}': as('ssha'),
    '{SSHA}, wrong': as('ssha', 'x'),
    '{PLAIN}': as('plain'),
    '{PLAIN}, wrong': as('plain', 'secret2'),
    '{PLAIN} with a comment': as('plain-comment'),
    'crypt SHA-256': as('sha256'),
    'crypt SHA-256, wrong': as('sha256', 'wrong'),
    'crypt SHA-512': as('sha512'),
    'crypt SHA-512, wrong': as('sha512', 'wrong'),
    'crypt SHA-512 with rounds': as('rounds'),
    'the same user again': inSuccession(
      request('/1', { keep: true, headers: [basic('sha512')] }),
      request('/2', { keep: true, headers: [basic('sha512')] }),
      request('/3', { keep: true, headers: [basic('sha512', 'no')] }),
    ),
    'an unknown user': as('nobody'),
    'a part of a user': as('sh'),
    'a comment is no user': as('# comment'),
    'an empty password': as('apr', ''),
    'a password with colons': as('plain', 'secret:x'),
    'no colon': get('/', { headers: [`Authorization: Basic ${Buffer.from('apr').toString('base64')}`] }),
    'no user name': get('/', { headers: [basic('')] }),
    'no base64': get('/', { headers: ['Authorization: Basic ???'] }),
    'another scheme': get('/', { headers: ['Authorization: Bearer abc'] }),
    'scheme in lower case': get('/', { headers: [basic('plain').replace('Basic', 'basic')] }),
    off: get('/off'),
    'a realm that says off': get('/variable?realm=off'),
    'a realm by a variable': get('/variable?realm=x'),
    'a realm with quotes': get('/quoted'),
    'a file without a last line end': as('last', 'secret', '/other-file'),
    'no file': as('apr', 'secret', '/no-file'),
    'no file, no user': get('/no-file'),
    'a file by its relative name': as('plain', 'secret', '/relative'),
    'error_page 401': get('/page'),
    'in limit_except': get('/except', { method: 'POST', body: 'x' }),
    'outside of limit_except': get('/except'),
    'return comes first': get('/return'),
    HEAD: get('/', { method: 'HEAD' }),
    'both must say yes': as('plain', 'secret', '/deny'),
    'satisfy any: denied, no user': get('/any-denied'),
    'satisfy any: denied, right user': as('plain', 'secret', '/any-denied'),
    'satisfy any: denied, wrong user': as('plain', 'no', '/any-denied'),
    'satisfy any: allowed': get('/any-allowed'),
    'satisfy any: no rule, no user': get('/any-no-rule'),
    'satisfy any: no rule, right user': as('plain', 'secret', '/any-no-rule'),
    'satisfy any: denied, nobody asks': get('/any-off-denied'),
    'satisfy any: allowed, nobody asks': get('/any-off-allowed'),
    'satisfy any: nothing said': get('/any-nothing'),
    'satisfy any: the file is not there': as('plain', 'secret', '/any-no-file'),
    'satisfy all: allowed, no user': get('/all-allowed'),
    'satisfy any before try_files': get('/any-files'),
    'a hash that we do not know': {
      act: as('bcrypt'),
      differs: {
        because: 'password hashes',
        evenkeel: { client: /^HTTP\/1.1 500 /m, 'access log': / 500 /, 'error log': /is not supported/ },
      },
    },
  },
});
