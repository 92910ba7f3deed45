/** The package's own download, tried in a copy of the package, so that a failure leaves nothing behind. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, readdir, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { type Either, isLeft, left } from 'fp-ts/lib/Either.js';
import { type Problem, problem } from '../../../dsl/problem.js';
import { bindingPath } from './binding.js';
import { buildBinding } from './compile.js';
import { libraryIn } from './library.js';
import { probe, type Probe } from './probe.js';
import { inScratch } from './scratch.js';
import type { Say } from './wheel.js';

/** Whether the driver of an NVIDIA GPU is loaded. */
export const hasNvidia = (): boolean => existsSync('/proc/driver/nvidia');

/** Given up after so many seconds in which no byte arrives. */
const patience = 60;

const sizeOf = async (folder: string): Promise<number> => {
  const names = await readdir(folder, { recursive: true });
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        (s) => s.size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
};

/** Runs the install script until it ends or stalls; answers with why it failed, or undefined. */
const runInstall = (folder: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    const tool = createRequire(join(folder, 'package.json')).resolve('@mapbox/node-pre-gyp/bin/node-pre-gyp');
    const kind = hasNvidia() ? 'gpu' : 'cpu';
    const child = spawn(process.execPath, ['scripts/install.js', kind, 'download'], {
      cwd: folder,
      env: { ...process.env, PATH: [dirname(tool), process.env['PATH']].join(delimiter) },
      stdio: ['ignore', 'ignore', 'pipe'],
      // Its own group, since it starts further processes.
      detached: true,
    });
    let said = '';
    let size = 0;
    let quiet = 0;
    const stop = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    };
    process.on('exit', stop);
    const watch = setInterval(() => {
      // Files come and go while they are unpacked: then the size is unknown, and so another.
      void sizeOf(folder)
        .catch(() => -1)
        .then((now) => {
          quiet = now === size ? quiet + 1 : 0;
          size = now;
          if (quiet >= patience) stop();
        });
    }, 1000);
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.on('error', (error) => (said += error.message));
    child.on('close', (code) => {
      clearInterval(watch);
      process.off('exit', stop);
      const line = /Error: (.+)/.exec(said)?.[1] ?? said.trim().split('\n').at(-1) ?? '';
      resolve(code === 0 ? undefined : quiet >= patience ? `nothing for ${patience} s` : line);
    });
  });

/** Puts the parts of one folder in the place of another's. */
const replace = async (parts: readonly string[], from: string, to: string): Promise<void> => {
  for (const part of parts) {
    await rm(join(to, part), { recursive: true, force: true });
    await rename(join(from, part), join(to, part));
  }
};

/** Fetches libtensorflow and a binding as the package's own install script does. */
export const ownDownload = async (folder: string, say: Say): Promise<Either<readonly Problem[], Probe>> => {
  const failed = (found: string): Either<readonly Problem[], never> =>
    left([problem("the package's own download", found, 'a library and a binding')]);
  try {
    // Beside the package, where its dependencies are found.
    return await inScratch(join(dirname(folder), '.tfjs-node-gpu-'), async (copy) => {
      const made = /^(lib|deps|build.*)$/;
      for (const name of await readdir(folder)) {
        if (!made.test(name)) await cp(join(folder, name), join(copy, name), { recursive: true });
      }
      const reason = await runInstall(copy);
      const binding = bindingPath(copy);
      if (reason !== undefined || binding === undefined) {
        if (isLeft(libraryIn(join(copy, 'deps'), 'deps'))) return failed(reason ?? 'no binding');
        say('it brought a library and no binding');
        await replace(['deps'], copy, folder);
        const library = libraryIn(join(folder, 'deps'), 'deps');
        return isLeft(library) ? library : buildBinding(folder, library.right, say);
      }
      const works = probe(binding);
      if (isLeft(works)) return works;
      await replace(['deps', 'lib'], copy, folder);
      return works;
    });
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  }
};
