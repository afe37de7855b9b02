/**
 * Where evenkeel answers otherwise than nginx on purpose: the rows of the README's table of deliberate differences, each with what
 * evenkeel does. A case may only deviate from nginx by naming one; a house test keeps table and list the same.
 */
export const DELIBERATE_DIFFERENCES = {
  'all findings': '`-t` and a start report every finding of the configuration, nginx only the first.',
  'place of findings':
    'A finding names the file and line of what it is about, also where nginx names none (unknown variables) or the end of the block (sizes of buffers).',
  'names that do not resolve':
    'An upstream name that does not resolve at start is a peer that is down, with a warning; nginx refuses to start.',
  'include cycles': 'The `include` that closes a cycle is refused by name; nginx reads on until it crashes.',
  'nested blocks': 'More than 500 blocks within one another are refused.',
  load_module: 'Warned about and ignored, whatever file it names.',
  'default access log': 'One that nobody named and that cannot be opened is a warning; nginx refuses to start.',
  worker_processes: '0 counts as 1; more than 1024 is refused.',
  worker_connections: "Clients beyond it wait in the kernel's queue; connections to peers do not count.",
  'listen options': '`rcvbuf`, `sndbuf`, `fastopen`, `deferred` and `so_keepalive` are checked and have no effect.',
  'regular expressions': "PCRE's patterns are written anew for JavaScript's engine: src/http/pcre/README.md.",
  'own commands':
    'A first word that is no flag is one of our own commands (`serve`, `demo`, `check`, `probe`); nginx refuses it.',
  reload: 'Workers and their connections live on; only the configuration of the next request is new.',
  'WINCH in the foreground': 'Drains the workers where no terminal is attached; nginx ignores it in the foreground.',
  USR2: 'Logged and ignored: no upgrade of the program with sockets inherited.',
  environment: 'Workers inherit all of it; nginx passes on `TZ` and what `env` names.',
  'stale unix sockets': 'A socket file on which nobody answers is removed before binding.',
  'debug log': 'The level `debug` is accepted; nothing is told beyond `info`.',
  'strict framing':
    'Ambiguous message framing is refused with 400 (requests) or 502 (responses) and the connection is closed, also where nginx picks an interpretation.',
  'bytes from variables':
    'Control bytes that variables hold (`$uri` is decoded) become spaces in fields, `%XX` in the request line and `\\xHH` in the error log; nginx writes them as they are.',
  'connection options':
    'Of a `Connection` made of variables `close`, `keep-alive` and `upgrade` are sent, of an `Upgrade` anything but `h2c`; a 101 that we did not ask for is refused.',
  'dots behind a prefix':
    'A path that would lead out of the URI of `proxy_pass` (`/api../x` in `location /api`) is refused with 400.',
  'early refusals':
    'An answer before the body of a request with `Expect: 100-continue` closes the connection; nginx keeps it.',
  tcpinfo: '`$tcpinfo_…` are empty: Node does not tell what the kernel knows of a connection.',
  lingering:
    'The end of a response is shown (FIN) before the rest of the request is read and dropped; nginx shows it afterwards.',
  'early bytes':
    'Bytes of a response pass on as they come. nginx holds back up to 1460 of them (`postpone_output`) and drops them when the upstream then breaks off.',
  tunnels: 'The end of one side is passed on and the other may still send; nginx closes both.',
  'framing of requests': '`proxy_set_header` cannot set Content-Length and Transfer-Encoding.',
  'lost idle connections':
    'A reused connection that ends before a byte of the answer is not counted against its peer, which is tried again on a fresh one.',
  'PROXY protocol': 'A header may come in pieces; nginx takes it only whole.',
  'TLS sessions':
    'The settings of each server count; nginx takes those of the default server of the address. Where client certificates are verified there are no tickets: sessions are resumed by `ssl_session_cache` alone.',
  'TLS to upstreams':
    'A kept connection and a session are used again only for the same name, trust and settings; nginx looks at the address alone.',
  'changed trust':
    'After a reload that changes what client certificates are checked against, connections made before are answered with 421.',
  'client aborts': "A request that its client gave up leaves its peer's failures as they were.",
  fail_timeout: 'Counted in milliseconds; nginx compares whole seconds.',
  zones:
    'Workers report to the primary, which lends them the slots of `max_conns`. `limit_conn` hears of what ended in another worker a moment later.',
  'paths that lead up':
    'A file name that holds more `..` than its `root` or `alias` says (`location /i { alias /img/; }` and `/i../x`) is answered with 500; nginx leaves the directory.',
  syslog:
    'Lines that a busy server of this machine does not take at once are kept for a while, and what is lost is told once a minute; nginx drops them and tells of each. A `unix:` server needs Node 26 or newer.',
  'charset variables':
    'Where the variable of `charset` or `source_charset` has no value, the response goes as if none were said; nginx closes the connection.',
  'password hashes':
    '`auth_basic` knows `$apr1$`, `$1$`, `$5$`, `$6$`, `{SHA}`, `{SSHA}` and `{PLAIN}`; a user with another kind (DES, bcrypt, yescrypt) is answered with 500 and a line in the log. nginx knows what its C library knows.',
  'name servers':
    'One that answers with a format error has answered; nginx goes on waiting for `resolver_timeout`. Unix sockets are no name servers.',
  mirrors:
    'A request is over and logged when its answer is out, and its connection reads the next one; nginx waits for the copies. `mirror_max_running` bounds those under way.',
  'malformed HTTP/2':
    'A malformed request of HTTP/2 (upper-case names, `Connection`, wrong pseudo-header fields, a body of another length) is a stream error, as RFC 9113 has it, and no request, and a field whose value holds CR, LF or NUL is left out; nginx answers some of them with 400 and takes others.',
  'HTTP/2 sizes': '`$bytes_sent` and `$request_length` of HTTP/2 count heads as they are before compression.',
  'HTTP/2 to upstreams':
    'Requests share a connection, up to a hundred of them and as many as the peer allows; nginx uses each for one request at a time.',
  limit_rate: 'The body of a response counts; in nginx its head too.',
  'newer than the oracle':
    'The followed version of nginx behaves otherwise than the older one that Debian ships: not a difference from nginx, but one from the oracle.',
} as const;

export type DeliberateDifference = keyof typeof DELIBERATE_DIFFERENCES;
