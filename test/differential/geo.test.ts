import { get } from './client-script.ts';
import { compare } from './compare.ts';

compare('geo', {
  files: { 'geo.conf': '10.9.0.0/16 "from a file";\n', 'ranges.conf': '10.9.0.0-10.9.255.255 "from a file";\n' },
  http: `
    geo $net {
      default "elsewhere";
      127.0.0.0/8 "loopback";
      127.0.0.2 "two";
      127.0.0.4/30 "four and up";
      ::1 "loopback 6";
      2001:db8::/32 "docs";
    }
    geo $arg_ip $by_arg {
      default "elsewhere";
      10.0.0.0/8 "ten";
      10.1.0.0/16 "ten one";
      10.1.2.0/24 "ten one two";
      10.1.2.3 "just that";
      10.1.2.128/25 "upper";
      delete 10.1.2.128/25;
      2001:db8::/32 "docs";
      2001:db8:1::/48 "docs one";
      255.255.255.255 "nowhere";
      include %%DIR%%/geo.conf;
    }
    geo $arg_ip $no_default { 10.0.0.0/8 "ten"; }
    geo $arg_ip $ranges {
      ranges;
      default "out of range";
      10.0.0.0-10.0.0.255 "first";
      10.0.0.16-10.0.0.31 "inner";
      10.0.1.0-10.3.255.255 "long";
      10.0.2.0-10.0.2.255 "in long";
      10.8.0.0-10.8.0.9 "gone";
      delete 10.8.0.0-10.8.0.9;
      include %%DIR%%/ranges.conf;
    }
    geo $proxied {
      default "elsewhere";
      proxy 127.0.0.0/8;
      proxy 10.99.0.0/16;
      127.0.0.0/8 "loopback";
      10.0.0.0/8 "ten";
      10.99.0.0/16 "proxy";
      203.0.113.0/24 "client";
      2001:db8::/32 "client 6";
    }
    geo $recursive {
      proxy 127.0.0.0/8;
      proxy 10.99.0.0/16;
      proxy_recursive;
      default "elsewhere";
      127.0.0.0/8 "loopback";
      10.0.0.0/8 "ten";
      203.0.113.0/24 "client";
    }
    geo $flag { default 1; 127.0.0.2 0; }
    server {
      listen 127.0.0.1:%%PORT%%;
      location = /net { return 200 "$net"; }
      location = /arg { return 200 "$by_arg [$no_default]"; }
      location = /ranges { return 200 "$ranges"; }
      location = /proxied { return 200 "$proxied, $recursive"; }
      location = /if { if ($flag) { return 403; } return 200 "in"; }
    }
    server {
      listen unix:%%DIR%%/geo.sock;
      location / { return 200 "$net $proxied"; }
    }`,
  cases: {
    'a network': get('/net'),
    'a single address': get('/net', { from: '127.0.0.2' }),
    'a smaller network': get('/net', { from: '127.0.0.6' }),
    'a unix socket': { steps: ['GET / HTTP/1.0\r\n\r\n'], path: '%%DIR%%/geo.sock' },
    'in an if, in': get('/if', { from: '127.0.0.2' }),
    'in an if, out': get('/if'),
    ...Object.fromEntries(
      [
        '10.5.5.5',
        '10.1.5.5',
        '10.1.2.4',
        '10.1.2.3',
        '10.1.2.200',
        '10.9.1.1',
        '192.0.2.1',
        '2001:db8::7',
        '2001:db8:1::7',
        '2001:db9::1',
        '::ffff:10.1.2.3',
        '0.0.0.0',
        '255.255.255.255',
        'nonsense',
        '10.1.2.3:80',
        '',
      ].map((ip) => [`by argument: ${ip}`, get(`/arg?ip=${ip}`)]),
    ),
    ...Object.fromEntries(
      [
        '10.0.0.0',
        '10.0.0.15',
        '10.0.0.16',
        '10.0.0.31',
        '10.0.0.32',
        '10.0.0.255',
        '10.0.1.0',
        '10.0.2.7',
        '10.0.3.0',
        '10.2.0.0',
        '10.3.255.255',
        '10.4.0.0',
        '10.8.0.5',
        '10.9.200.1',
        '9.255.255.255',
        '::ffff:10.0.0.20',
        '2001:db8::1',
        'nonsense',
      ].map((ip) => [`ranges: ${ip}`, get(`/ranges?ip=${ip}`)]),
    ),
    ...Object.fromEntries(
      [
        '203.0.113.7',
        '203.0.113.7, 10.99.0.1',
        '10.1.1.1, 203.0.113.7',
        '203.0.113.7,10.99.0.1, 10.99.0.2',
        '203.0.113.7, nonsense',
        'nonsense, 10.99.0.1',
        '203.0.113.7:4711',
        '[2001:db8::1]:80',
        '2001:db8::1',
        ', ,',
        '203.0.113.7, ',
        '10.99.0.3, 10.99.0.4',
      ].map((value) => [`X-Forwarded-For: ${value}`, get('/proxied', { headers: [`X-Forwarded-For: ${value}`] })]),
    ),
    'without X-Forwarded-For': get('/proxied'),
    'two X-Forwarded-For': get('/proxied', {
      headers: ['X-Forwarded-For: 203.0.113.7', 'X-Forwarded-For: 10.99.0.1'],
    }),
  },
});
