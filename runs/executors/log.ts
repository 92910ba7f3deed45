/** The words that a trial's process has left in its folder. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { trialFiles } from './executor.js';

/** The last line of the log in a trial's folder; nothing where there is none. */
export const lastWords = (folder: string): string | undefined => {
  try {
    const lines = readFileSync(join(folder, trialFiles.log), 'utf8').split('\n');
    return lines.filter((line) => line.trim() !== '').at(-1);
  } catch {
    return undefined;
  }
};
