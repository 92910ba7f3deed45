/** What has to be there before a module of the user's is loaded, such as the command's hooks for TypeScript: told by whoever starts the program. */

const preparations: (() => Promise<void>)[] = [];

/** Before the first module, once. */
export const beforeUserModules = (prepare: () => Promise<void>): void => {
  preparations.push(prepare);
};

/** Ends when a module of the user's can be loaded. */
export const readyForUserModules = async (): Promise<void> => {
  for (const prepare of preparations.splice(0)) await prepare();
};
