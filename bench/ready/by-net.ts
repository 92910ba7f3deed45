/** How long the first step of a network takes on each backend, each in a process of its own; a C compiler finds nothing that was kept. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Seconds } from './clock.js';

export type Ready = {
  readonly net: string;
  readonly compile: Seconds;
  /** To the loops of wasm. */
  readonly lower: Seconds;
  /** By backend; or why there is none. */
  readonly steps: Readonly<Record<string, Steps | string>>;
};

/** The first step lowers, generates or compiles, loads and runs; the second one runs. */
export type Steps = { readonly first: Seconds; readonly second: Seconds };

const script = fileURLToPath(new URL('first-step.ts', import.meta.url));

const asked = (net: string, where: string): Readonly<Record<string, Seconds>> | string => {
  const cache = where === 'cc' ? mkdtempSync(join(tmpdir(), 'immersion-ready-')) : undefined;
  try {
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      ['--conditions=immersion-source', '--import', 'tsx', script, net, where],
      {
        encoding: 'utf8',
        env: { ...process.env, ...(cache === undefined ? {} : { IMMERSION_CACHE: cache }) },
      },
    );
    if (status !== 0) return stderr.trim().split('\n').at(-1) ?? '';
    const answer: Readonly<Record<string, Seconds>> = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    return answer;
  } finally {
    if (cache !== undefined) rmSync(cache, { recursive: true, force: true });
  }
};

const none: Seconds = { wall: NaN, processor: NaN };

export const readyByNet = (nets: readonly string[], backends: readonly string[]): readonly Ready[] =>
  nets.map((net) => {
    const loops = asked(net, 'loops');
    const { compile = none, lower = none } = typeof loops === 'string' ? {} : loops;
    const steps = Object.fromEntries(
      backends.map((backend): readonly [string, Steps | string] => {
        const found = asked(net, backend);
        if (typeof found === 'string') return [backend, found];
        const { first = none, second = none } = found;
        return [backend, { first, second }];
      }),
    );
    return { net, compile, lower, steps };
  });

const both = ({ wall, processor }: Seconds): string => `${wall.toFixed(2)} (${processor.toFixed(2)})`;

const cell = (steps: Steps | string | undefined): string =>
  steps === undefined || typeof steps === 'string'
    ? `not here${steps === undefined ? '' : `: ${steps}`}`
    : `${both(steps.first)}, then ${both(steps.second)}`;

/** Markdown: seconds by the wall, and of the processor in brackets. */
export const showReady = (ready: readonly Ready[], backends: readonly string[]): string =>
  [
    `| step | compile | lower to loops | ${backends.map((name) => `first step and second, ${name}`).join(' | ')} |`,
    `| --- | ---: | ---: |${backends.map(() => ' ---: |').join('')}`,
    ...ready.map(
      ({ net, compile, lower, steps }) =>
        `| ${net} | ${both(compile)} | ${both(lower)} | ${backends.map((name) => cell(steps[name])).join(' | ')} |`,
    ),
  ].join('\n');
