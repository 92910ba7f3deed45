/** Work that may take long, of which whoever waits hears once it does. */

/** Milliseconds that nobody wonders about. */
const PATIENCE = 1000;

/** Calls `onWait` where the work is not over by then. Work that keeps the thread to itself is not heard of: nobody could be told. */
export const patiently = async <A>(
  work: () => Promise<A>,
  onWait: () => void = () => undefined,
): Promise<A> => {
  const timer = setTimeout(onWait, PATIENCE);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
};
