#!/usr/bin/env node
/** Starts the command line: from the TypeScript sources in a checkout, from `dist/` in an installed package. */
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

if (existsSync(source)) {
  runSource();
} else {
  await import('tsx');
  await import('./register.mjs');
  await import(here('../dist/cli/main.js').href);
}
