/** Opens many mutated files and says which of them end in neither a clear problem nor a right result within ten seconds and a gibibyte. */
import { elementAt, float64At } from '../../dsl/lookup.js';
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { deriveKey, uniforms } from '../../dsl/random.js';
import type { Case, Ending } from './child.js';

/** Of the processor's work; by the clock, as much as a machine takes that is shared with others. */
const SECONDS = 10;
const SECONDS_BY_CLOCK = 60;
const BYTES = 2 ** 30;

const child = fileURLToPath(new URL('./child.ts', import.meta.url));

const started = (): Promise<ChildProcess> =>
  new Promise((resolve, reject) => {
    const made = fork(child, {
      execArgv: ['--conditions=immersion-source', '--import', 'tsx'],
      silent: true,
    });
    made.once('message', () => resolve(made));
    made.once('error', reject);
    made.once('exit', (code) => reject(new Error(`the process that opens files ended with ${code}`)));
  });

const isEnding = (value: unknown): value is Ending =>
  typeof value === 'object' && value !== null && 'outcome' in value;

const fault = (one: Case, text: string): Ending => ({
  ...one,
  done: [],
  outcome: 'fault',
  text,
  bytes: 0,
  seconds: SECONDS,
});

/** One case; a process that hangs or ends is not used again. */
const opened = (process: ChildProcess, one: Case): Promise<Ending> =>
  new Promise((resolve) => {
    const settle = (ending: Ending): void => {
      clearTimeout(timer);
      process.removeAllListeners();
      resolve(ending);
    };
    const timer = setTimeout(() => {
      process.kill('SIGKILL');
      settle(fault(one, `nothing within ${SECONDS_BY_CLOCK} s`));
    }, SECONDS_BY_CLOCK * 1000);
    process.removeAllListeners();
    process.once('exit', (code, signal) => settle(fault(one, `the process ended (${signal ?? code})`)));
    process.on('message', (value) => {
      if (!isEnding(value)) return;
      const { bytes, seconds, outcome } = value;
      const much = bytes > BYTES || seconds > SECONDS;
      const text = `${Math.round(bytes / 2 ** 20)} MiB, ${seconds.toFixed(1)} s`;
      settle(much && outcome !== 'fault' ? { ...value, outcome: 'fault', text } : value);
    });
    process.send(one);
  });

/** Cases of one seed: as many for each opener as for the others. */
export const casesOf = (seed: number, count: number, names: readonly string[]): readonly Case[] => {
  const key = deriveKey(seed, 'fuzz');
  const seeds = uniforms(key, [0, 0, 0], count);
  return Array.from({ length: count }, (_, i) => ({
    opener: elementAt(names, i % names.length),
    seed: Math.floor(float64At(seeds, i) * 2 ** 31),
  }));
};

/** Runs all cases, and answers with how each ended. */
export const fuzz = async (
  cases: readonly Case[],
  onEnding: (ending: Ending) => void = () => undefined,
): Promise<readonly Ending[]> => {
  const endings: Ending[] = [];
  let process = await started();
  for (const one of cases) {
    const ending = await opened(process, one);
    endings.push(ending);
    onEnding(ending);
    if (ending.outcome !== 'fault') continue;
    // What it left behind may spoil the next: a peak of memory, a file that is held.
    process.removeAllListeners();
    process.kill('SIGKILL');
    process = await started();
  }
  process.removeAllListeners();
  process.kill();
  return endings;
};
