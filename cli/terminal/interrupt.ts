/**
 * Ctrl-C as a signal to abort, which training looks at between two steps; a second one ends the process at once. So does the first one
 * while nothing listens: a process that compiles has nothing to lose, and no turn to hear of it.
 */

const [INT, TERM, HUP] = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export type Interruption = {
  /** Aborted when it is asked for. */
  readonly signal: AbortSignal;
  /** From now on signals abort. */
  readonly listen: () => void;
  /** Signals mean what they meant before. */
  readonly stop: () => void;
};

/** A terminal that is closed interrupts too, unless what runs goes on elsewhere: then the process alone ends. */
export const interruption = (whenClosed: 'interrupts' | 'leaves' = 'interrupts'): Interruption => {
  const controller = new AbortController();
  const signals = whenClosed === 'leaves' ? ([INT, TERM] as const) : ([INT, TERM, HUP] as const);
  const stop = (): void => signals.forEach((signal) => process.off(signal, note));
  const note = (): void => {
    controller.abort();
    stop();
  };
  return {
    signal: controller.signal,
    listen: () => signals.forEach((signal) => process.on(signal, note)),
    stop,
  };
};
