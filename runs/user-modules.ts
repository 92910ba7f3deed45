/** What has to be there before a module of the user's is loaded, such as the command's hooks for TypeScript: told by whoever starts the program. */

const preparations: (() => Promise<void>)[] = [];

/** Before the first module, once. */
export const beforeUserModules = (prepare: () => Promise<void>): void => {
  preparations.push(prepare);
};

let ready: Promise<void> | undefined;

const prepared = async (): Promise<void> => {
  for (const prepare of preparations) await prepare();
};

/** Ends when a module of the user's can be loaded; whoever asks meanwhile waits for the same. */
export const readyForUserModules = (): Promise<void> => (ready ??= prepared());
