/** A folder to work in that is gone afterwards: when the work is done, when it fails, and when Ctrl-C ends the process. */
import { mkdtemp } from 'node:fs/promises';
import { tidied } from '../../places.js';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Exits as a shell expects of a process that a signal ended, with everything cleaned up on the way out. */
const leave = (signal: NodeJS.Signals): void => process.exit(signal === 'SIGINT' ? 130 : 143);

/** `prefix` is a path that six characters are added to. */
export const inScratch = async <A>(prefix: string, work: (folder: string) => Promise<A>): Promise<A> => {
  const folder = await mkdtemp(prefix);
  const remove = (): void => tidied(folder);
  process.on('exit', remove);
  for (const signal of signals) process.on(signal, leave);
  try {
    return await work(folder);
  } finally {
    for (const signal of signals) process.off(signal, leave);
    process.off('exit', remove);
    remove();
  }
};
