#!/usr/bin/env node
/**
 * Starts the command line: in an installed package from `dist/`, in a checkout from a program that is made of its sources when they have
 * changed, or from the sources themselves where none can be made.
 */
import './leash.mjs';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = (path) => new URL(path, import.meta.url);
const source = here('../cli/main.ts');

const tsx = () => {
  try {
    return import.meta.resolve('tsx');
  } catch {
    console.error('immersion: no dependencies found; run `node scripts/setup.mjs` in the checkout first');
    process.exit(1);
  }
};

/** Runs the sources in a child, since only a fresh process takes a loader and an export condition. */
const runSource = () => {
  const modules = [here('leash.mjs').href, tsx(), here('register.mjs').href];
  const flags = ['--conditions=immersion-source', ...modules.flatMap((module) => ['--import', module])];
  const child = spawn(process.execPath, [...flags, fileURLToPath(source), ...process.argv.slice(2)], {
    // The channel closes when this process ends, however it ends, and the child ends then.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  const terminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the child as well: passed on, it would count twice.
      if (signal !== 'SIGINT' || !terminal) child.kill(signal);
    });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
};

/** Runs the program in a folder, in this process; `made` where the folder is not the package's own. */
const runProgram = async (folder, made) => {
  const { beforeUserModules } = await import(new URL('runs/user-modules.js', folder).href);
  const { prepareUserModules } = await import('./user-modules.mjs');
  beforeUserModules(() => prepareUserModules(made ? folder.href : undefined));
  await import(new URL('cli/main.js', folder).href);
};

if (existsSync(source)) {
  // A clone that is sent elsewhere may come without what makes it.
  const bundler = here('../scripts/bundle.mjs');
  const program = existsSync(bundler) ? await (await import(bundler.href)).built() : undefined;
  if (program === undefined) runSource();
  else await runProgram(program, true);
} else {
  await runProgram(here('../dist/'), false);
}
