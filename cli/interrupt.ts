/** Ctrl-C as a question that a loop asks between two steps, or as a signal to abort; a second one ends the process at once. */

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A loop that only awaits finished work never lets a signal in: it is let in this often. */
const LISTEN_EVERY_MILLISECONDS = 50;

/** Lets signals and messages in where a loop asks for it, at most so often. */
export const listening = (): (() => Promise<void>) => {
  let listened = performance.now();
  return async () => {
    if (performance.now() - listened <= LISTEN_EVERY_MILLISECONDS) return;
    await new Promise((resolve) => setImmediate(resolve));
    listened = performance.now();
  };
};

export type Interruption = {
  readonly asked: () => Promise<boolean>;
  /** Aborted when it is asked for. */
  readonly signal: AbortSignal;
  /** Signals mean what they meant before. */
  readonly stop: () => void;
};

export const interruption = (): Interruption => {
  const controller = new AbortController();
  const listen = listening();
  const stop = (): void => signals.forEach((signal) => process.off(signal, note));
  const note = (): void => {
    controller.abort();
    stop();
  };
  signals.forEach((signal) => process.on(signal, note));
  return {
    asked: async () => {
      await listen();
      return controller.signal.aborted;
    },
    signal: controller.signal,
    stop,
  };
};
