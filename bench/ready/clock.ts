/** Seconds by the wall and of the processor, those of processes that were started and have ended, such as compilers, included. */
import { readFileSync } from 'node:fs';

export type Seconds = { readonly wall: number; readonly processor: number };

/** Linux counts in hundredths; elsewhere only what this process has taken is known. */
const TICKS_A_SECOND = 100;

const ofChildren = (): number => {
  try {
    const [, rest = ''] = readFileSync('/proc/self/stat', 'utf8').split(/\)\s(.*)/s);
    const fields = rest.split(' ').map(Number);
    // Fields 16 and 17 of proc_pid_stat(5), the first two of which stand before the bracket.
    return ((fields[13] ?? 0) + (fields[14] ?? 0)) / TICKS_A_SECOND;
  } catch {
    return 0;
  }
};

const now = (): Seconds => {
  const { user, system } = process.cpuUsage();
  return { wall: performance.now() / 1000, processor: (user + system) / 1e6 + ofChildren() };
};

export const timed = async <A>(work: () => A | Promise<A>): Promise<readonly [A, Seconds]> => {
  const start = now();
  const result = await work();
  const end = now();
  return [result, { wall: end.wall - start.wall, processor: end.processor - start.processor }];
};
