/** Compiles the published folders to `dist/` and copies the files beside the sources that are not TypeScript. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
rmSync('dist', { recursive: true, force: true });
const { status } = spawnSync(
  process.execPath,
  ['node_modules/typescript-native/bin/tsc', '-p', 'tsconfig.build.json'],
  {
    stdio: 'inherit',
  },
);
if (status !== 0) process.exit(1);

const isAsset = (path) => statSync(path).isDirectory() || !path.endsWith('.ts');
for (const folder of JSON.parse(readFileSync('tsconfig.build.json', 'utf8')).include.filter(existsSync))
  cpSync(folder, `dist/${folder}`, { recursive: true, filter: isAsset });
