/** Ctrl-C as a signal to abort, which training looks at between two steps; a second one ends the process at once. */

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export type Interruption = {
  /** Aborted when it is asked for. */
  readonly signal: AbortSignal;
  /** Signals mean what they meant before. */
  readonly stop: () => void;
};

export const interruption = (): Interruption => {
  const controller = new AbortController();
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
