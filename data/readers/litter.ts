/** What systems and programs leave in folders, which is no data. */

/** Names that begin with a dot (`.ipynb_checkpoints`, `._000.png`, `.DS_Store`) and those that Windows and archives leave. */
const known: ReadonlySet<string> = new Set([
  'thumbs.db',
  'desktop.ini',
  'ehthumbs.db',
  '$recycle.bin',
  'system volume information',
  '__macosx',
  '__pycache__',
  'lost+found',
  '@eadir',
]);

export const isLitter = (name: string): boolean => name.startsWith('.') || known.has(name.toLowerCase());
