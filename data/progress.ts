/** A line now and then while a pass over data takes long. */
import type { OpenOptions } from './options.js';

const EVERY = 2000;

/** Says a line when two seconds have gone by since the last one, or since the pass began. */
export const reporter = ({ onProgress }: OpenOptions): ((line: () => string) => void) => {
  let said = performance.now();
  return (line) => {
    if (onProgress === undefined || performance.now() - said < EVERY) return;
    said = performance.now();
    onProgress(line());
  };
};

export const percent = (done: number, all: number): string => `${Math.floor((100 * done) / all)} %`;
