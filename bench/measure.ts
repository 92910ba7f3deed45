/** Seconds of calls, taken in turns so that a disturbance of the machine meets every subject alike. */
import { elementAt } from '../dsl/lookup.js';

/** Something to time, by name; `repeat` calls make one reading. */
export type Subject = { readonly name: string; readonly run: () => void; readonly repeat?: number };

export type Reading = { readonly median: number; readonly least: number; readonly most: number };

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const half = (sorted.length - 1) / 2;
  return (elementAt(sorted, Math.floor(half)) + elementAt(sorted, Math.ceil(half))) / 2;
};

export const summary = (values: readonly number[]): Reading => ({
  median: median(values),
  least: Math.min(...values),
  most: Math.max(...values),
});

/** Milliseconds by the wall, or of the processor's work for us: the one to trust where others share the machine. */
export const clocks = {
  wall: (): number => performance.now(),
  cpu: (): number => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
};

export type Clock = keyof typeof clocks;

const seconds = ({ run, repeat = 1 }: Subject, clock: Clock): number => {
  const now = clocks[clock];
  const start = now();
  for (let i = 0; i < repeat; i++) run();
  return (now() - start) / 1000 / repeat;
};

/** One reading of each subject per round, after `warmUp` rounds that do not count: seconds by name, in round order. */
export const inTurns = (
  subjects: readonly Subject[],
  options: { readonly warmUp: number; readonly rounds: number; readonly clock: Clock },
): ReadonlyMap<string, readonly number[]> => {
  const rounds = Array.from({ length: options.warmUp + options.rounds }, () =>
    subjects.map((subject) => seconds(subject, options.clock)),
  ).slice(options.warmUp);
  return new Map(subjects.map(({ name }, i) => [name, rounds.map((round) => elementAt(round, i))]));
};

/** Quotients of two subjects' readings, round by round. */
export const quotients = (a: readonly number[], b: readonly number[]): readonly number[] =>
  a.map((value, i) => value / elementAt(b, i));
