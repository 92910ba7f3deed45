/** Ctrl-C as a signal to abort, which training looks at between two steps; a second one ends the process at once. */

const [INT, TERM, HUP] = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export type Interruption = {
  /** Aborted when it is asked for. */
  readonly signal: AbortSignal;
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
  signals.forEach((signal) => process.on(signal, note));
  return {
    signal: controller.signal,
    stop,
  };
};
