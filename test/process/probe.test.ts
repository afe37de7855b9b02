import { afterEach, describe, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { HANG, reply, type Script, ScriptedBackend } from '../support/scripted-backend.ts';
import { get, until } from './ask.ts';
import { runProgram } from './run-program.ts';
import { endStarted, startProgram } from './started-program.ts';

const backends: ScriptedBackend[] = [];

afterEach(async () => {
  await endStarted();
  for (const backend of backends.splice(0)) await backend.stop();
});

async function backendOf(script: Script): Promise<string> {
  const backend = await ScriptedBackend.start({ script });
  backends.push(backend);
  return `127.0.0.1:${backend.port}`;
}

describe('probe', () => {
  test('keeps looking; metrics and health; ends in order on SIGTERM', async () => {
    const backend = await ScriptedBackend.start({ script: reply('ok') });
    backends.push(backend);
    const port = await freePort();
    const target = `127.0.0.1:${backend.port}`;
    const program = startProgram(['probe', '--listen', `127.0.0.1:${port}`, '--interval', '50ms', '--backend', target]);
    const metric = async (text: string): Promise<true> =>
      until(
        async () => ((await get(port, '/metrics').catch(() => null))?.body.includes(text) ? true : undefined),
        20_000,
      );
    await metric(`evenkeel_probe_up{kind="backend",target="${target}"} 1`);
    expect(await get(port, '/healthz')).toEqual({ status: 200, body: 'ok\n' });
    expect((await get(port, '/other')).status).toBe(404);
    await backend.stop();
    await metric(`evenkeel_probe_up{kind="backend",target="${target}"} 0`);
    await metric('evenkeel_probe_all_up 0');
    expect(await get(port, '/healthz')).toEqual({ status: 200, body: 'ok\n' });
    expect(await program.end()).toBe(0);
    expect(program.output()).toBe(`evenkeel: metrics at http://127.0.0.1:${port}/metrics\n`);
  });

  test('before the first round is over nothing is well; and it can be ended', async () => {
    const hung = await backendOf([HANG]);
    const port = await freePort();
    const program = startProgram(['probe', '--listen', `127.0.0.1:${port}`, '--timeout', '60s', '--backend', hung]);
    const health = await until(async () => get(port, '/healthz').catch(() => undefined), 20_000);
    expect(health).toEqual({ status: 503, body: 'the first round is not over yet\n' });
    expect(await program.end('SIGINT')).toBe(0);
  });

  test('a port that is taken: exit 1; a wrong one: exit 2', async () => {
    const at = await backendOf(reply('ok'));
    const taken = await runProgram(['probe', '--listen', at, '--backend', at]);
    expect(taken).toMatchObject({ code: 1, stderr: `evenkeel: --listen ${at}: Address already in use\n` });
    const wrong = await runProgram(['probe', '--listen', 'here', '--backend', at]);
    expect(wrong).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--listen here: write PORT, :PORT or ADDRESS:PORT'),
    });
  });
});
