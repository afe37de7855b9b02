import { describe, expect, test } from 'vitest';
import type { Exchange } from '../../../src/http/exchange.ts';
import { beginExchange } from '../../../src/http/phases.ts';
import { Subrequest, type SubrequestInit } from '../../../src/http/subrequest.ts';
import { compileText } from '../../support/compile-text.ts';
import { fakeExchange } from '../../support/fake-client-stream.ts';

interface Seen {
  readonly status: number;
  readonly isAborted: boolean;
}

function parentOf(http: string): { ex: Exchange; logLines: ReadonlyMap<string, string[]> } {
  const { runtime, logLines, findings } = compileText(http);
  const [listener] = runtime?.listeners ?? [];
  if (listener === undefined) throw new Error(findings.join('\n'));
  const { ex } = fakeExchange({ method: 'POST', target: '/parent?q=1', fields: ['X-Own: 1'] }, listener.group);
  beginExchange(ex, listener.group);
  return { ex, logLines };
}

const INIT: SubrequestInit = { uri: '/sub', args: 'a=1', method: 'GET', isDetached: false };

function run(ex: Exchange, init: Partial<SubrequestInit> = {}): { seen: Seen[]; isOver: boolean } {
  const result = { seen: [] as Seen[], isOver: false };
  const sub = Subrequest.make(
    ex,
    { ...INIT, ...init },
    {
      onSubrequestAnswered: ({ response }, isAborted) => void result.seen.push({ status: response.status, isAborted }),
      onSubrequestOver: () => {
        result.isOver = true;
      },
    },
  );
  sub?.begin();
  return result;
}

const PARENT = 'location /parent { stub_status; }';

describe('a subrequest', () => {
  test('runs the server’s rewrite phase and its location, internal ones too', () => {
    const { ex } = parentOf(`server { listen 80; ${PARENT} location /sub { internal; return 204; } }`);
    expect(run(ex)).toEqual({ seen: [{ status: 204, isAborted: false }], isOver: true });
  });

  test('shows the parent’s request line, fields and method; path and arguments are its own', () => {
    const { ex, logLines } = parentOf(`
      log_format f '$request|$request_uri|$request_method|$uri|$args|$http_x_own|$status|$request_id';
      server {
        listen 80;
        access_log off;
        ${PARENT}
        location /sub { log_subrequest on; access_log sub.log f; return 200; }
      }`);
    ex.requestId = 'the-same';
    run(ex);
    const line = 'POST /parent?q=1 HTTP/1.1|/parent?q=1|POST|/sub|a=1|1|200|the-same';
    expect(logLines.get('sub.log')).toEqual([line]);
  });

  test('is not logged unless log_subrequest says so', () => {
    const { ex, logLines } = parentOf(
      `server { listen 80; ${PARENT} location /sub { access_log sub.log; return 200; } }`,
    );
    run(ex);
    expect(logLines.get('sub.log') ?? []).toEqual([]);
  });

  test('asks no access check', () => {
    const { ex } = parentOf(`server { listen 80; ${PARENT} location /sub { deny all; try_files /x =299; } }`);
    expect(run(ex).seen).toEqual([{ status: 299, isAborted: false }]);
  });

  test('that is not answered says so, with its status', () => {
    const { ex } = parentOf(`server { listen 80; ${PARENT} location /sub { return 444; } }`);
    expect(run(ex).seen).toEqual([{ status: 444, isAborted: true }]);
  });

  test('shares variables with its parent, unless it is detached', () => {
    const { ex, logLines } = parentOf(`
      log_format f '[$v]';
      server {
        listen 80;
        access_log parent.log f;
        set $v before;
        location /parent { stub_status; }
        location /sub { set $v "set in the subrequest"; return 200; }
      }`);
    run(ex, { isDetached: true });
    for (const log of ex.location.logHandlers) log(ex);
    run(ex);
    for (const log of ex.location.logHandlers) log(ex);
    expect(logLines.get('parent.log')?.slice(-2)).toEqual(['[before]', '[set in the subrequest]']);
  });

  test('within a subrequest within a subrequest …: fifty at most', () => {
    const { ex, logLines } = parentOf(`server { listen 80; ${PARENT} location /sub { return 200; } }`);
    const owner = { onSubrequestAnswered: () => undefined, onSubrequestOver: () => undefined };
    let parent = ex;
    for (let depth = 1; depth <= 50; depth++) parent = (Subrequest.make(parent, INIT, owner) as Subrequest).exchange;
    expect(Subrequest.make(parent, INIT, owner)).toBeNull();
    expect([...logLines.values()].flat().join('\n')).toContain('subrequests cycle while processing "/sub"');
  });

  test('that nobody wants any more ends at once, once', () => {
    const { ex } = parentOf(`server { listen 80; ${PARENT} location /sub { return 200; } }`);
    const heard: string[] = [];
    const sub = Subrequest.make(ex, INIT, {
      onSubrequestAnswered: (_sub, isAborted) => void heard.push(`answered, aborted: ${isAborted}`),
      onSubrequestOver: () => void heard.push('over'),
    });
    sub?.cancel();
    sub?.cancel();
    expect(heard).toEqual(['answered, aborted: true', 'over']);
  });
});
