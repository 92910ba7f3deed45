/** Ctrl-C as a question that a loop asks between two steps; a second one ends the process at once. */

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A loop that only awaits finished work never lets a signal in: it is let in this often. */
const LISTEN_EVERY_MILLISECONDS = 50;

export type Interruption = {
  readonly asked: () => Promise<boolean>;
  /** Signals mean what they meant before. */
  readonly stop: () => void;
};

export const interruption = (): Interruption => {
  let seen = false;
  let listened = performance.now();
  const stop = (): void => signals.forEach((signal) => process.off(signal, note));
  const note = (): void => {
    seen = true;
    stop();
  };
  signals.forEach((signal) => process.on(signal, note));
  return {
    asked: async () => {
      if (performance.now() - listened > LISTEN_EVERY_MILLISECONDS) {
        await new Promise((resolve) => setImmediate(resolve));
        listened = performance.now();
      }
      return seen;
    },
    stop,
  };
};
