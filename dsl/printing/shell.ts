/** Words as a shell takes them, for commands that are handed over or shown to be copied. */

/** A word as a POSIX shell takes it: quoted where it has to be. */
export const shellWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

/** A path as a command takes it: one that begins with a dash is no option. */
export const shellPath = (path: string): string => shellWord(path.startsWith('-') ? `./${path}` : path);
