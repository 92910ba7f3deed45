/** An earlier state of this code in a folder of its own, to be run beside today's on the same machine. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The folder, from the root of this code, made where it is missing, with the packages of today; or why it cannot be. */
export const checkedOut = (commit: string): { readonly folder: string } | string => {
  const name = join('outputs', 'before', commit);
  const folder = join(root, name);
  if (existsSync(join(folder, 'node_modules'))) return { folder: name };
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const archive = spawnSync('git', ['archive', commit], { cwd: root, maxBuffer: 1 << 28 });
  if (archive.status !== 0) return `no commit ${commit} here`;
  const unpacked = spawnSync('tar', ['-x', '-C', folder], { input: archive.stdout });
  if (unpacked.status !== 0) return 'no tar here';
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return { folder: name };
};
