/** The command line under test: in this process or in one of its own, with a specification for it to train. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import { dispatch } from '../../cli/commands.js';
import {
  adam,
  dense,
  type Experiment,
  experiment,
  flatten,
  input,
  network,
  pipe,
  reshape,
  schedule,
} from '../../dsl/index.js';
import { injFlow } from '../../objectives/index.js';
import { isObject, type Json } from './json.js';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** A small experiment on pictures of this size. */
export const linear = (height: number, width: number): Experiment => {
  const encoder = network('encoder', pipe(input(height, width, 1), flatten, dense(3)));
  const decoder = network('decoder', pipe(input(3), dense(height * width), reshape(height, width, 1)));
  return experiment({
    encoder,
    decoder,
    objective: injFlow(encoder, decoder),
    optimizer: adam({ rate: schedule.linear(1e-2, 1e-3, 100) }),
    batch: 32,
    steps: 4,
    data: 'digits',
    validation: { every: 2 },
  });
};

export type Ended = { readonly code: number; readonly stdout: string; readonly stderr: readonly string[] };

export const linesOf = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '');

/** In this process, which spares each case a start of Node. */
export const run = async (...args: readonly string[]): Promise<Ended> => {
  const written = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((chunk) => {
      written[name] += String(chunk);
      return true;
    }),
  );
  try {
    const code = await dispatch(args);
    return { code, stdout: written.stdout, stderr: linesOf(written.stderr) };
  } finally {
    spies.forEach((spy) => spy.mockRestore());
  }
};

/** The real command in a process of its own; `onLine` sees each line of stderr as it comes. */
export const spawned = (
  cwd: string,
  args: readonly string[],
  onLine: (line: string, signal: (name: NodeJS.Signals) => void) => void = () => undefined,
): Promise<Ended> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [join(root, 'bin/immersion.mjs'), ...args], { cwd });
    const written = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => (written.stdout += String(chunk)));
    child.stderr.on('data', (chunk) => {
      written.stderr += String(chunk);
      linesOf(String(chunk)).forEach((line) => onLine(line, (name) => child.kill(name)));
    });
    child.on('close', (code) =>
      resolve({ code: code ?? -1, stdout: written.stdout, stderr: linesOf(written.stderr) }),
    );
  });

/** A JSON object. */
export const json = (text: string): Json => {
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) throw new Error(text);
  return value;
};
