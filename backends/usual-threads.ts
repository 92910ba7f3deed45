/** How many threads share a step where nobody says. */

/** What is used of a page, whose types are not among ours. */
const { navigator } = globalThis as unknown as {
  readonly navigator?: { readonly hardwareConcurrency?: number };
};

/** A page has no `node:` to import from. */
const cores = (): number =>
  globalThis.process?.getBuiltinModule?.('node:os').availableParallelism() ??
  navigator?.hardwareConcurrency ??
  1;

/** As many as there are cores; fewer where the environment says how many an operation may have, as a sweep does. */
export const usualThreads = (): number => {
  const given = Number(globalThis.process?.env['TF_NUM_INTRAOP_THREADS'] ?? '');
  return Number.isInteger(given) && given > 0 ? Math.min(given, cores()) : cores();
};
