import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const BASE_IMAGE = 'node:26-bookworm-slim';

/** What a docker command printed. */
export interface DockerOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the docker command line in the repository's root; throws with its words when it fails. */
export async function docker(...args: string[]): Promise<DockerOutput> {
  return await run('docker', args, { cwd: root, maxBuffer: 64 << 20 });
}

async function succeeds(...args: string[]): Promise<boolean> {
  return await docker(...args).then(
    () => true,
    () => false,
  );
}

/** Builds the image under `tag`. The base image comes from the registry, or is made here where there is none. */
export async function buildImage(tag: string): Promise<void> {
  if (!(await succeeds('info'))) throw new Error('no Docker engine answers: docker info');
  const hasBase = (await succeeds('image', 'inspect', BASE_IMAGE)) || (await succeeds('pull', BASE_IMAGE));
  if (!hasBase) {
    const canMakeOne = process.getuid?.() === 0 && existsSync('/usr/sbin/debootstrap');
    if (!canMakeOne) throw new Error(`${BASE_IMAGE} can be neither pulled nor made (as root, with debootstrap)`);
    await run('sh', ['docker/base-image.sh', BASE_IMAGE], { cwd: root });
  }
  await docker('build', '-f', 'docker/Dockerfile', '-t', tag, '.');
}

/** A container of the image, with its port 80 on a free port of 127.0.0.1. */
export class Container {
  readonly id: string;
  readonly url: string;

  constructor(id: string, url: string) {
    this.id = id;
    this.url = url;
  }

  static async start(image: string, ...runArgs: string[]): Promise<Container> {
    const { stdout } = await docker('run', '-d', '-p', '127.0.0.1::80', ...runArgs, image);
    const id = stdout.trim();
    const port = (await docker('port', id, '80/tcp')).stdout.trim().split(':').at(-1);
    const container = new Container(id, `http://127.0.0.1:${port}`);
    await container.until(async () => (await fetch(container.url)).ok);
    return container;
  }

  async exec(...command: string[]): Promise<DockerOutput> {
    return await docker('exec', this.id, ...command);
  }

  async logs(): Promise<DockerOutput> {
    return await docker('logs', this.id);
  }

  async inspect(format: string): Promise<string> {
    return (await docker('inspect', '--format', format, this.id)).stdout.trim();
  }

  /** Asks again and again, up to 30 s; the container's log is in the error when it never comes true. */
  async until(isSo: () => Promise<boolean>): Promise<void> {
    const deadlineAtMs = performance.now() + 30_000;
    while (!(await isSo().catch(() => false))) {
      if (performance.now() > deadlineAtMs) {
        const { stdout, stderr } = await this.logs();
        throw new Error(`waited 30 s in vain; the container's log:\n${stdout}${stderr}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async remove(): Promise<void> {
    await docker('rm', '-f', '-v', this.id);
  }
}
