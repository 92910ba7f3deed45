/** Turns for the event loop: one that only awaits finished work never lets a timer, a signal or a message in. */

const MILLISECONDS = 8;

/** Lets others have their turn, where the last one was some milliseconds ago. */
export const createTurns = (): (() => Promise<void>) => {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < MILLISECONDS) return;
    await new Promise((resolve) => setImmediate(resolve));
    last = performance.now();
  };
};
