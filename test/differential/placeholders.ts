import { freePort } from '../support/free-port.ts';

/** Placeholder name -> value, for `%%NAME%%` in configurations and requests. */
export type Values = Readonly<Record<string, string>>;

/** Fills in `%%NAME%%`; an unknown name is a mistake in the case. */
export function fill(text: string, values: Values): string {
  return text.replace(/%%(\w+)%%/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`no value for %%${name}%%`);
    return value;
  });
}

/** A free port for each `%%PORT…%%` and `%%DEAD…%%` that the text names. Nobody ever listens on the latter. */
export async function drawPorts(text: string): Promise<Record<string, string>> {
  const names = new Set([...text.matchAll(/%%((?:PORT|DEAD)\w*)%%/g)].map((match) => match[1] ?? ''));
  const ports: Record<string, string> = {};
  for (const name of names) ports[name] = String(await freePort());
  return ports;
}
